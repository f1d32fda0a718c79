// What each command does. All return the exit status; UsageError and SystemError are for the caller
// to print.
#pragma once

#include <functional>
#include <string>

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

int run_show(const ShowLinks& show, const Console& console);
int run_pki(const PkiCommand& command, const Console& console);
// With --check: 0 when nothing would change, 1 when something would, 2 when the check failed.
int run_plan(const plan::PlanRequest& request, const Console& console);
int run_help(const Help& help, const Console& console);
int run_version(const Console& console);  // "routevpn 0.1.0"

// How check finds out what the files and the system say. Both throw UsageError or SystemError.
struct Probes {
  std::function<void(const LinkOptions& options)> credentials;
  std::function<void(const std::string& name, const std::string& option)> netns;
  static Probes of_system();
};

// Prints the settings a link would run with, or one line per fault. The line's command is
// CheckLink.
int run_check(const CommandLine& line, const Probes& probes, const Console& console);

}  // namespace routevpn::cli
