// The program routevpn-exporter.
#pragma once

#include <ostream>

#include "routevpn/exporter/command_line.hpp"

namespace routevpn::exporter {

// Serves until SIGTERM or SIGINT. Throws UsageError and SystemError.
void serve(const Options& options);

// Prints the metrics. False: a link that was named is not running.
bool print_once(const Options& options, std::ostream& out);

}  // namespace routevpn::exporter
