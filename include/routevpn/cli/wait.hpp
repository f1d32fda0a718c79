// `routevpn show --wait`: returns when every link is in the given state.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

// Without names: all links, as soon as there is at least one. Waits also for a link that is not
// running yet. Every state but up counts as down, also the end of a link's process during the wait.
// After the timeout, names the links that are not in the state and returns exit status 1.
int wait_for_state(const ShowLinks& show, const Console& console);

}  // namespace routevpn::cli
