// Damps flaps: BIRD and its neighbours react to each change of the carrier, so after a flap the
// carrier returns only when the link has worked for a while. Pure.
#pragma once

#include <algorithm>
#include <chrono>

#include "routevpn/base/clock.hpp"

namespace routevpn::session {

class FlapDamper {
 public:
  static constexpr Duration longest = std::chrono::seconds(60);
  static constexpr Duration memory = std::chrono::minutes(10);

  // `first`: the delay after the first flap. Each further flap doubles it. Zero: no damping.
  explicit FlapDamper(Duration first) : first_(first) {}

  void carrier_lost(Time now) {
    if (expired(now)) flaps_ = 0;
    ++flaps_;
    last_ = now;
  }
  // The link failed before the carrier returned: no flap, but the memory of flaps starts again.
  void failed_again(Time now) {
    if (!expired(now)) last_ = now;
  }

  [[nodiscard]] unsigned flaps(Time now) const { return expired(now) ? 0 : flaps_; }
  // How long a link that is confirmed now must work before the carrier returns.
  [[nodiscard]] Duration delay(Time now) const {
    if (flaps(now) == 0) return Duration::zero();
    Duration delay = first_;
    for (unsigned i = 1; i < flaps_ && delay < longest; ++i) delay *= 2;
    return std::min(delay, longest);
  }

  // For another process, see base/fields.hpp.
  template <typename Io>
  friend void fields(Io& io, FlapDamper& damper) {
    io(damper.flaps_, damper.last_);
  }

 private:
  [[nodiscard]] bool expired(Time now) const { return flaps_ == 0 || now - last_ >= memory; }

  Duration first_;
  unsigned flaps_ = 0;
  Time last_{};
};

}  // namespace routevpn::session
