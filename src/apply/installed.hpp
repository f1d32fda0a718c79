// Reads what is on the machine.
#pragma once

#include <string>
#include <vector>

#include "routevpn/apply/machine.hpp"
#include "routevpn/apply/steps.hpp"

namespace routevpn::apply {

inline constexpr std::string_view state_dir = "/var/lib/routevpn";
inline constexpr std::string_view manifest_path = "/var/lib/routevpn/applied";

// `root` ends without '/'. Throws SystemError; what the administrator has to mend is a fault.
Installed read_installed(const GatewayPlan& plan, const std::string& root, Machine& machine,
                         std::vector<std::string>& faults);

// One text from the lines of a program's error output.
std::string one_line(const std::string& text);

}  // namespace routevpn::apply
