// The arguments of a command line, each ended by a zero byte. Only configuration files that are no
// part of the machine are named.
#include "routevpn/cli/command_line.hpp"

#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  std::vector<std::string> arguments{{}};
  for (const auto byte : input.rest()) {
    if (byte == 0) {
      arguments.emplace_back();
    } else {
      arguments.back() += static_cast<char>(byte);
    }
  }
  const auto line = cli::parse_command_line(arguments);
  for (const auto& fault : line.faults) {
    require(fault.find('\n') == std::string::npos, "a fault is one line");
  }
}
