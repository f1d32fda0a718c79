// Asks the links and the BIRDs of this gateway.
#pragma once

#include <string>
#include <vector>

#include "routevpn/exporter/report.hpp"

namespace routevpn::exporter {

struct Sources {
  std::string run_dir = "/run/routevpn";
  std::vector<std::string> birds = {};  // control sockets; empty: all of RUN-DIR/bird
  std::vector<std::string> links = {};  // empty: all
};

// Takes at most a little longer than limits.time, whatever the other processes do. Throws
// SystemError when a directory cannot be read.
Report collect(const Sources& sources, const AskLimits& limits = {});

}  // namespace routevpn::exporter
