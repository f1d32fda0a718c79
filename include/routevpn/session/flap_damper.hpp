// Whoever watches the carrier acts on each of its changes, and so do his neighbours: after a flap
// it returns only when the link has been well for a while. Pure.
#pragma once

#include <algorithm>
#include <chrono>

#include "routevpn/base/clock.hpp"

namespace routevpn::session {

class FlapDamper {
 public:
  static constexpr Duration longest = std::chrono::seconds(60);
  static constexpr Duration memory = std::chrono::minutes(10);

  // After the first flap, doubled by each that follows; zero: never any.
  explicit FlapDamper(Duration first) : first_(first) {}

  void carrier_lost(Time now) {
    if (forgotten(now)) flaps_ = 0;
    ++flaps_;
    last_ = now;
  }
  // It failed before the carrier had returned: no flap, but not well either.
  void failed_again(Time now) {
    if (!forgotten(now)) last_ = now;
  }

  [[nodiscard]] unsigned flaps(Time now) const { return forgotten(now) ? 0 : flaps_; }
  // How long the link must be well before the carrier returns, were it confirmed now.
  [[nodiscard]] Duration delay(Time now) const {
    if (flaps(now) == 0) return Duration::zero();
    Duration delay = first_;
    for (unsigned i = 1; i < flaps_ && delay < longest; ++i) delay *= 2;
    return std::min(delay, longest);
  }

 private:
  [[nodiscard]] bool forgotten(Time now) const { return flaps_ == 0 || now - last_ >= memory; }

  Duration first_;
  unsigned flaps_ = 0;
  Time last_{};
};

}  // namespace routevpn::session
