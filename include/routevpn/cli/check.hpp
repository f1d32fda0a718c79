// `routevpn check`: prints the settings with which a link would run, or one line per fault.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "routevpn/cli/command_line.hpp"
#include "routevpn/cli/console.hpp"

namespace routevpn::cli {

// How check examines the files and the system. Tests replace it.
struct Examination {
  std::function<std::vector<std::string>(const options::LinkOptions&)> credentials;  // faults
  // Throws UsageError or SystemError.
  std::function<void(const std::string& name, const std::string& option)> netns;
  static Examination of_system();
};

// The line's command is CheckLink. Returns the exit status.
int run_check(const CommandLine& line, const Examination& examination, const Console& console);

}  // namespace routevpn::cli
