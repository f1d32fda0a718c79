// The units of a planned directory, with what their files say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routevpn/apply/directory.hpp"

namespace routevpn::apply {

// One unit per line, without the content of their files.
std::vector<PlannedUnit> parse_units(std::string_view text, const std::string& path,
                                     std::vector<std::string>& faults);

// Reads the file of each unit. Each link, namespace and exporter must have its unit, and each unit
// its file. `path`: of the file with the units.
void complete_units(GatewayPlan& plan, const std::string& path, std::vector<std::string>& faults);

}  // namespace routevpn::apply
