// Links that should run and do not.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "routevpn/cli/command_line.hpp"

namespace routevpn::cli {

// The names of all links of the command: the named ones, or else those with a socket and those with
// a configuration file. In alphabetical order. Throws SystemError when the directory of the sockets
// cannot be read.
std::vector<std::string> wanted_links(const ShowLinks& show);

// The status object of a link that does not run.
nlohmann::json not_running(const std::string& link);

}  // namespace routevpn::cli
