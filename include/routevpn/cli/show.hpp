// `routevpn show`: prints the state of links, once, each second or after a wait.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

// Returns the exit status.
int run_show(const ShowLinks& show, const Console& console);

}  // namespace routevpn::cli
