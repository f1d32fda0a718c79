// The file of a network namespace, /etc/routevpn/netns/NAME.conf.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace routevpn::apply {

// The interfaces that the file names. `name`: of the namespace. The rules are those of
// src/systemd/netns, which reads the installed file: what passes here is not refused there.
std::vector<std::string> interfaces_of_namespace(std::string_view text, const std::string& path,
                                                 std::string_view name,
                                                 std::vector<std::string>& faults);

}  // namespace routevpn::apply
