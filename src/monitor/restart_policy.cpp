#include "routevpn/monitor/restart_policy.hpp"

#include <algorithm>

namespace routevpn::monitor {

std::optional<Duration> RestartPolicy::on_death(Time started, Time now) {
  while (!deaths_.empty() && deaths_.front() <= now - std::chrono::minutes(1)) deaths_.pop_front();
  deaths_.push_back(now);
  if (deaths_.size() >= most_deaths) return std::nullopt;
  in_a_row_ = now - started >= good_life ? 1 : in_a_row_ + 1;
  if (in_a_row_ == 1) return Duration::zero();
  // At most 5, because 250 ms * 2^5 is longest_delay and deaths in a row have no limit.
  const int doublings = std::min(in_a_row_ - 2, 5);
  return std::min(first_delay * (1 << doublings), longest_delay);
}

}  // namespace routevpn::monitor
