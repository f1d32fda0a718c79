// The command line of routevpn-exporter.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/exporter/collect.hpp"
#include "routevpn/options/option_table.hpp"

namespace routevpn::exporter {

struct Options {
  SocketAddress listen{IpAddress::v4({127, 0, 0, 1}), 9586};
  Sources sources;
  std::vector<std::string> hosts;
  std::string topology;  // file; empty: none
  bool once = false;
};

struct CommandLine {
  Options options;
  std::string print;                     // help or version: print this, and end
  std::vector<std::string> faults = {};  // one line each
};

options::OptionTable option_table(Options& options);
CommandLine parse_command_line(std::span<const std::string> arguments);

}  // namespace routevpn::exporter
