// The arguments of a command line, each ended by a zero byte.
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
  require(std::ranges::none_of(line.faults, &std::string::empty), "a fault has a text");
}
