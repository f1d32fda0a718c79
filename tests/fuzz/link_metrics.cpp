// The answer of a link, up to the text for Prometheus. Whatever the link says, each line is a
// comment or a sample of a known metric, and no sample occurs twice.
#include <algorithm>
#include <set>
#include <sstream>

#include "routevpn/base/json_object.hpp"
#include "routevpn/exporter/metrics.hpp"
#include "routevpn/exporter/status.hpp"

#include "target.hpp"

namespace routevpn::fuzz {

namespace {

// NAME or NAME{LABELS}, then a blank and a number.
void check_sample(const std::string& line, const std::vector<std::string>& names) {
  const auto name = line.substr(0, line.find_first_of("{ "));
  require(std::ranges::find(names, name) != names.end(), "a sample of an unknown metric");
  for (const char c : line) require(c != '\r' && c != '\x1b' && c != '\0', "a control character");
  const auto value = line.substr(line.rfind(' ') + 1);
  require(!value.empty() && value.find_first_not_of("0123456789+-.eInfNa") == std::string::npos,
          "a value that is no number");
}

}  // namespace

void run_target(Input input) {
  static const auto names = exporter::metric_names();
  exporter::Report report;
  auto status = parse_object(input.text());
  if (!status) return;
  report.links.push_back({"rv1", *std::move(status), {}, {}});
  std::set<std::string> series;
  std::istringstream lines(exporter::metrics_text(report, {}, "1"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) continue;
    check_sample(line, names);
    require(series.insert(line.substr(0, line.rfind(' '))).second, "a sample occurs twice");
  }
  require(nlohmann::json::accept(exporter::status_text(report)), "the status is JSON");
}

}  // namespace routevpn::fuzz
