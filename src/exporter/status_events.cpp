#include "routevpn/exporter/status_events.hpp"

#include <algorithm>

#include "routevpn/exporter/status.hpp"

#include "fields.hpp"

namespace routevpn::exporter {

namespace {

// The status is one line of ASCII that ends with a newline.
std::string event_text(const char* name, const std::string& status) {
  return std::string("event: ").append(name).append("\ndata: ").append(status).append("\n");
}

bool have_same_names(const std::map<std::string, std::string>& a,
                     const std::map<std::string, std::string>& b) {
  return std::ranges::equal(
      a, b, {}, [](const auto& entry) { return entry.first; },
      [](const auto& entry) { return entry.first; });
}

}  // namespace

std::string StatusEvents::first(const std::string& status) {
  // A browser connects again after this time.
  return "retry: 1000\n" + event_text("status", status);
}

std::string StatusEvents::next(const Report& report, Time now) {
  auto states = states_of(report);
  auto sessions = sessions_of(report);
  const bool is_whole =
      !whole_at_ || now - *whole_at_ >= whole_period || !have_same_names(states, states_);
  std::string event;
  if (is_whole) {
    event = event_text("status", status_text(report));
    whole_at_ = now;
  } else if (states != states_ || sessions != sessions_) {
    event = event_text("change", status_text(report, [&](const LinkReport& link) {
                         return states.at(link.name) != states_.at(link.name);
                       }));
  }
  states_ = std::move(states);
  sessions_ = std::move(sessions);
  return event;
}

StatusEvents::States StatusEvents::states_of(const Report& report) {
  States states;
  for (const auto& link : report.links) {
    states[link.name] = link.reason + (is_true(link.status, "carrier") ? " carrier " : " ") +
                        text(link.status, "state") + " " + text(link.status, "reason");
  }
  return states;
}

std::string StatusEvents::sessions_of(const Report& report) {
  std::string sessions;
  for (const auto& bird : report.birds) {
    sessions.append(bird.name).append(" ").append(bird.reason).append("\n");
    for (const auto& session : bird.sessions) {
      sessions.append(session.name).append(" ").append(session.state).append("\n");
    }
  }
  return sessions;
}

}  // namespace routevpn::exporter
