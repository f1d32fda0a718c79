// When a worker that has died is started again.
#pragma once

#include <deque>
#include <optional>

#include "routevpn/base/clock.hpp"

namespace routevpn::monitor {

class RestartPolicy {
 public:
  static constexpr Duration first_delay = std::chrono::milliseconds(250);
  static constexpr Duration longest_delay = std::chrono::seconds(8);
  static constexpr Duration good_life = std::chrono::seconds(5);  // the next death is a first one
  static constexpr std::size_t most_deaths = 10;                  // within a minute: no restart

  // The delay: none for a first death, then first_delay, doubled up to longest_delay. No value: the
  // worker has died too often.
  [[nodiscard]] std::optional<Duration> on_death(Time started, Time now);

 private:
  std::deque<Time> deaths_;  // within the last minute
  int in_a_row_ = 0;
};

}  // namespace routevpn::monitor
