// The options of the commands, except those of `routevpn pki`.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/options/option_table.hpp"

namespace routevpn::cli {

using options::OptionTable;

OptionTable show_table(ShowLinks& show);
OptionTable reload_table(ReloadLinks& reload);
OptionTable doctor_table(ExamineGateway& request);
OptionTable plan_table(plan::PlanRequest& request);
OptionTable apply_table(apply::ApplyRequest& request);

}  // namespace routevpn::cli
