// The configuration file: `name = value` lines with the names of the command line's options.
//
//   # a comment, also at the end of a line after a blank
//   peer = [2001:db8:3::1]:5801
//   nat = yes
//   on-state = "logger '# of links'"     double quotes keep '#' and blanks; \" and \\ inside
#pragma once

#include <string>
#include <string_view>

#include "routevpn/cli/option_table.hpp"

namespace routevpn::cli {

// Faults are "PATH:LINE: ...".
Scan scan_config(const OptionTable& table, std::string_view text, const std::string& path);
// Throws UsageError for a file that cannot be read: "PATH: No such file or directory".
Scan read_config(const OptionTable& table, const std::string& path);

}  // namespace routevpn::cli
