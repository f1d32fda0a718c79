// `routevpn show --wait`: returns when every link is in the state that was asked for.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

// Without names: every link there is, as soon as there is one. A link whose process has not come
// yet is waited for. Down is whatever is not up, a process that ended while we watched too. The
// exit status is 1, with a line that says which links, when the time is over.
int wait_for_state(const ShowLinks& show, const Console& console);

}  // namespace routevpn::cli
