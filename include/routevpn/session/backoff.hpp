// How long to wait before the next attempt: doubling, with jitter, so that the links of a gateway
// that returns do not all start at the same moment.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

#include "routevpn/base/clock.hpp"

namespace routevpn::session {

class Backoff {
 public:
  static constexpr Duration first = std::chrono::milliseconds(250);
  static constexpr Duration most = std::chrono::seconds(8);

  explicit Backoff(std::uint64_t seed) : random_(seed) {}

  // From 3/4 to 5/4 of 250 ms, 500 ms, ... 8 s.
  Duration next() {
    const Duration base = next_;
    next_ = std::min(next_ * 2, most);
    std::uniform_int_distribution<Duration::rep> spread(base.count() * 3 / 4, base.count() * 5 / 4);
    return Duration(spread(random_));
  }
  void reset() { next_ = first; }

 private:
  std::mt19937_64 random_;
  Duration next_ = first;
};

}  // namespace routevpn::session
