// `routevpn show --watch`.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

// Prints the state each second until SIGINT or SIGTERM. On a terminal: one screen. With --json: one
// line with an array each second.
int watch(const ShowLinks& show, const Console& console);

}  // namespace routevpn::cli
