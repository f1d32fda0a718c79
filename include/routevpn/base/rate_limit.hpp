// A token bucket as one time: GCRA of ITU-T I.371, virtual scheduling. It reads no clock.
#pragma once

#include <algorithm>

#include "routevpn/base/clock.hpp"

namespace routevpn {

struct Rate {
  Duration interval;  // between tokens
  int burst;          // tokens of a full bucket, at least 1
};

class RateLimit {
 public:
  // Whether a token is left.
  [[nodiscard]] bool allows(Time now, Rate rate) const {
    return full_at_ <= now + (rate.burst - 1) * rate.interval;
  }
  void take(Time now, Rate rate) { full_at_ = std::max(full_at_, now) + rate.interval; }
  // Takes a token if one is left.
  bool admit(Time now, Rate rate) {
    const bool allowed = allows(now, rate);
    if (allowed) take(now, rate);
    return allowed;
  }

 private:
  Time full_at_{};
};

}  // namespace routevpn
