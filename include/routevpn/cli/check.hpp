// `routevpn check`: prints the settings with which a link would run, or one line per fault.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

// Loads the credentials and looks for the namespaces. The line's command is CheckLink. Returns the
// exit status.
int run_check(const CommandLine& line, const Console& console);

}  // namespace routevpn::cli
