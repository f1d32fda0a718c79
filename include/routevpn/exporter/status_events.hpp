// Which events /api/v1/events sends, and when. Pure.
//
// The event `status` has the whole status, once per whole_period. Between two of them the event
// `change` has the links whose state has changed, and all BIRDs and faults. A client that skips an
// event has the whole status again after one period.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "routevpn/base/clock.hpp"
#include "routevpn/exporter/report.hpp"

namespace routevpn::exporter {

class StatusEvents {
 public:
  static constexpr std::chrono::milliseconds whole_period{1000};

  // The first event of a stream. The argument is status_text() of the report.
  static std::string first(const std::string& status);
  // Empty: there is nothing to send now.
  std::string next(const Report& report, Time now);

 private:
  using States = std::map<std::string, std::string>;  // by link

  static States states_of(const Report& report);
  static std::string sessions_of(const Report& report);

  States states_;         // that the last event told
  std::string sessions_;  // states of the BGP sessions that the last event told
  std::optional<Time> whole_at_;
};

}  // namespace routevpn::exporter
