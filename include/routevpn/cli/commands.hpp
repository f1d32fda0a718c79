// The commands: each function runs one and returns the exit status. The source file has the name of
// the command.
// All throw UsageError and SystemError.
#pragma once

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

// Prints the settings with which a link would run, or one line per fault. Loads the credentials and
// looks for the namespaces. The line's command is CheckLink.
int run_check(const CommandLine& line, const Console& console);

// Runs a command of the CA and prints what it did.
int run(const PkiCommand& command, const Console& console);

// Runs the planner and prints what changed. With --check: 0 when nothing would change, 1 when
// something would, 2 when the check failed.
int run(const plan::PlanRequest& request, const Console& console);

// Makes this machine agree with a planned directory: prints the steps, and each that is done.
// Status 1 when it stopped before the last step, with one line for each step that is not done; 2
// when nothing was changed because of a fault.
int run(const apply::ApplyRequest& request, const Console& console);
// The same on another machine, for tests.
int run(const apply::ApplyRequest& request, apply::Machine& machine, const Console& console);

// Prints the state of links: once, each second or after a wait.
int run(const ShowLinks& show, const Console& console);

// `routevpn show --prometheus`: the process becomes routevpn-exporter, which prints the metrics.
// Throws SystemError.
[[noreturn]] void run_exporter(const ShowLinks& show);
// The command for it. `own_program`: the path of this program.
std::vector<std::string> exporter_command(const ShowLinks& show, const std::string& own_program);

// `routevpn show --wait`: returns when every link is in the given state. Without names: all links,
// as soon as there is at least one. Waits also for a link that is not running yet. Every state but
// up counts as down, also that of a link that ends during the wait. After the timeout, names the
// links that are not in the state and returns exit status 1.
int run_wait(const ShowLinks& show, const Console& console);

// Prints what is wrong with this gateway and what mends it. Exit status 1 if anything is wrong.
int run(const ExamineGateway& request, const Console& console);

// Makes links read their files again, and returns when each has taken them or has said why not.
int run(const ReloadLinks& reload, const Console& console);

}  // namespace routevpn::cli
