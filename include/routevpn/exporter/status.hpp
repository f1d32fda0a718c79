// A report as JSON: the answer of /api/v1/status.
#pragma once

#include <functional>
#include <string>

#include "routevpn/exporter/report.hpp"

namespace routevpn::exporter {

using LinkFilter = std::function<bool(const LinkReport&)>;

// One object. `links` has the objects of `routevpn show --json`, `birds` the BGP sessions of each
// BIRD, and `faults` what gave no answer. One line, ASCII only. With a filter, `links` has those
// that it accepts.
std::string status_text(const Report& report, const LinkFilter& filter = {});

}  // namespace routevpn::exporter
