// The configuration file: `name = value` lines with the names of the command line's options.
//
//   # a comment, also at the end of a line after a blank
//   peer = [2001:db8:3::1]:5801
//   nat = yes
//   on-state = "logger '# of links'"     double quotes keep '#' and blanks; \" and \\ inside
#pragma once

#include <string>
#include <string_view>

#include "routevpn/options/settings.hpp"

namespace routevpn::options {

// One setting per line that is neither empty nor a comment. `path` is for faults.
Settings parse_config(std::string_view text, const std::string& path);
// Throws UsageError for a file that cannot be read: "PATH: No such file or directory".
Settings read_config(const std::string& path);
// A file that sets every option as it is now.
std::string write_config(const OptionTable& table);

}  // namespace routevpn::options
