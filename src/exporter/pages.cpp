#include "routevpn/exporter/pages.hpp"

#include <algorithm>
#include <array>

#include "routevpn/base/log.hpp"
#include "routevpn/exporter/status.hpp"

#include "page_texts.hpp"

namespace routevpn::exporter {

namespace {

constexpr auto metrics_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr auto json_type = "application/json";

Pages::Text shared_text(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

struct File {
  std::string_view path;
  const char* type;
  std::string_view text;
};

constexpr auto script_type = "text/javascript; charset=utf-8";
constexpr std::array<File, 13> files = {{
    {"/", "text/html; charset=utf-8", index_html},
    {"/style.css", "text/css; charset=utf-8", style_css},
    {"/page.js", script_type, page_js},
    {"/format.js", script_type, format_js},
    {"/history.js", script_type, history_js},
    {"/live.js", script_type, live_js},
    {"/links.js", script_type, links_js},
    {"/lookup.js", script_type, lookup_js},
    {"/map.js", script_type, map_js},
    {"/network.js", script_type, network_js},
    {"/network_map.js", script_type, network_map_js},
    {"/routes.js", script_type, routes_js},
    {"/zoom.js", script_type, zoom_js},
}};

Faults faults_of(const Report& report) {
  Faults faults;
  const auto put = [&](const std::string& place, std::string reason, const std::string& error) {
    if (reason.empty()) return;
    if (!error.empty()) reason.append(" (").append(error).append(")");
    faults[place] = std::move(reason);
  };
  for (const auto& link : report.links) put("link " + link.name, link.reason, link.error);
  for (const auto& bird : report.birds) put("BIRD at " + bird.socket, bird.reason, bird.error);
  return faults;
}

// One line when faults begin, change or end. Of many it names the first.
void log_changes(const Faults& before, const Faults& now) {
  constexpr std::size_t most_names = 5;
  std::map<std::string, std::vector<std::string>> places;  // by what has changed
  for (const auto& [place, fault] : now) {
    const auto known = before.find(place);
    if (known == before.end() || known->second != fault) places[fault].push_back(place);
  }
  for (const auto& [place, fault] : before) {
    if (!now.contains(place)) places["no fault any longer"].push_back(place);
  }
  for (const auto& [change, names] : places) {
    std::string line = change + ":";
    for (std::size_t i = 0; i < names.size() && i < most_names; ++i) {
      line.append(i == 0 ? " " : ", ").append(names[i]);
    }
    if (names.size() > most_names) {
      line.append(" and ").append(std::to_string(names.size() - most_names)).append(" more");
    }
    log_warning(line);
  }
}

}  // namespace

std::optional<Duration> Pages::timeout() const {
  if (!collected_) return std::nullopt;
  return std::max<Duration>(*collected_ + report_age - read_clock(), Duration::zero());
}

void Pages::forget_if_old() {
  if (timeout() != Duration::zero()) return;
  collected_.reset();
  metrics_.reset();
  status_.reset();
  links_.reset();
  report_ = {};
}

void Pages::collect_if_old() {
  forget_if_old();
  if (collected_) return;
  report_ = collect(sources_);
  collected_ = read_clock();
  auto faults = faults_of(report_);
  log_changes(faults_, faults);
  faults_ = std::move(faults);
}

const Pages::Text& Pages::metrics() {
  collect_if_old();
  if (!metrics_) {
    metrics_ = shared_text(metrics_text(report_, sites_, ROUTEVPN_VERSION));
  }
  return metrics_;
}

const Pages::Text& Pages::status() {
  collect_if_old();
  if (!status_) status_ = shared_text(status_text(report_));
  return status_;
}

const Pages::Text& Pages::links() {
  collect_if_old();
  if (!links_) links_ = shared_text(link_states_text(report_, interfaces()));
  return links_;
}

Pages::Text Pages::next_event() {
  collect_if_old();
  auto event = events_.next(report_, read_clock());
  return event.empty() ? nullptr : shared_text(std::move(event));
}

HttpAnswer Pages::routes(const HttpRequest& request) {
  const auto prefix = request.arguments.find("prefix");
  collect_if_old();
  return looking_glass_.answer(prefix == request.arguments.end() ? "" : prefix->second, report_,
                               read_clock());
}

HttpAnswer Pages::answer(const HttpRequest& request) {
  const auto& path = request.path;
  if (path == "/metrics") return {200, metrics_type, metrics()};
  if (path == "/api/v1/status") return {200, json_type, status()};
  if (path == "/api/v1/links") return {200, json_type, links()};
  if (path == "/api/v1/network") return {200, json_type, network_};
  if (path == "/api/v1/network/states") {
    // It makes this exporter ask all others.
    if (request.is_deliberate) return {200, json_type, watch_.states()};
    return text_answer(403, "the field X-Routevpn is missing\n");
  }
  if (path == "/api/v1/events") {
    return {200, "text/event-stream", shared_text(StatusEvents::first(*status())), true};
  }
  if (path == "/api/v1/routes") return routes(request);
  if (path == "/-/healthy") return text_answer(200, "routevpn-exporter is healthy\n");
  const auto file = std::ranges::find(files, path, &File::path);
  if (file != files.end()) {
    return {200, file->type, shared_text(std::string(file->text))};
  }
  return text_answer(404, "there is no such page; see /\n");
}

}  // namespace routevpn::exporter
