// The metrics of a report as text.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/exporter/report.hpp"

namespace routevpn::exporter {

using Sites = std::map<std::string, std::string, std::less<>>;  // by gateway: the name of its site

// The text format of Prometheus.
std::string metrics_text(const Report& report, const Sites& sites, std::string_view version);

std::vector<std::string> metric_names();

}  // namespace routevpn::exporter
