// `routevpn plan`: runs the planner and prints what changed.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

// Returns the exit status; throws UsageError and SystemError. With --check: 0 when nothing would
// change, 1 when something would, 2 when the check failed.
int run_plan(const plan::PlanRequest& request, const Console& console);

}  // namespace routevpn::cli
