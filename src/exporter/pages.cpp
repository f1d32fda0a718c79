#include "routevpn/exporter/pages.hpp"

#include "routevpn/base/log.hpp"
#include "routevpn/exporter/status.hpp"

namespace routevpn::exporter {

namespace {

constexpr auto metrics_type = "text/plain; version=0.0.4; charset=utf-8";

constexpr std::string_view index_page = R"(<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>routevpn-exporter</title></head>
<body>
<h1>routevpn-exporter</h1>
<ul>
<li><a href="/metrics">/metrics</a>: metrics for Prometheus</li>
<li><a href="/api/v1/status">/api/v1/status</a>: links and BGP sessions as JSON</li>
<li><a href="/-/healthy">/-/healthy</a>: whether the exporter runs</li>
</ul>
</body>
</html>
)";

using Faults = std::map<std::string, std::string>;

Faults faults_of(const Report& report) {
  Faults faults;
  for (const auto& link : report.links) {
    if (!link.reason.empty()) faults["link " + link.name] = link.reason + " " + link.error;
  }
  for (const auto& bird : report.birds) {
    if (!bird.reason.empty()) faults["BIRD at " + bird.socket] = bird.reason + " " + bird.error;
  }
  return faults;
}

// One line when a fault begins, changes or ends.
void log_changes(const Faults& before, const Faults& now) {
  for (const auto& [place, fault] : now) {
    const auto known = before.find(place);
    if (known == before.end() || known->second != fault) log_warning(place + ": " + fault);
  }
  for (const auto& [place, fault] : before) {
    if (!now.contains(place)) log_info(place + ": answers or is gone; before: " + fault);
  }
}

}  // namespace

void Pages::collect_if_old() {
  const auto now = read_clock();
  if (collected_ && now - *collected_ < report_age) return;
  collected_.reset();
  metrics_.reset();
  status_.reset();
  report_ = {};  // the old and the new report would take memory at the same time
  report_ = collect(sources_);
  collected_ = read_clock();
  auto faults = faults_of(report_);
  log_changes(faults_, faults);
  faults_ = std::move(faults);
}

const Pages::Text& Pages::metrics() {
  collect_if_old();
  if (!metrics_) {
    metrics_ =
        std::make_shared<const std::string>(metrics_text(report_, sites_, ROUTEVPN_VERSION));
  }
  return metrics_;
}

const Pages::Text& Pages::status() {
  collect_if_old();
  if (!status_) status_ = std::make_shared<const std::string>(status_text(report_));
  return status_;
}

HttpAnswer Pages::answer(const std::string& path) {
  if (path == "/metrics") return {200, metrics_type, metrics()};
  if (path == "/api/v1/status") return {200, "application/json", status()};
  if (path == "/-/healthy") return text_answer(200, "routevpn-exporter is healthy\n");
  if (path == "/") {
    return {200, "text/html; charset=utf-8", std::make_shared<const std::string>(index_page)};
  }
  return text_answer(404, "there is no such page; see /\n");
}

}  // namespace routevpn::exporter
