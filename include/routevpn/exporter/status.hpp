// A report as JSON: the answer of /api/v1/status.
#pragma once

#include <string>

#include "routevpn/exporter/report.hpp"

namespace routevpn::exporter {

// One object. `links` has the objects of `routevpn show --json`, `birds` the BGP sessions of each
// BIRD, and `faults` what gave no answer. ASCII only.
std::string status_text(const Report& report);

}  // namespace routevpn::exporter
