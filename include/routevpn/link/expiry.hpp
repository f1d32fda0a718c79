// When to warn of the end of a certificate or a CRL. Pure.
#pragma once

#include <array>
#include <chrono>
#include <optional>

namespace routevpn::link {

// Of a certificate: once at 30, 7 and 1 days before.
class ExpiryWatch {
 public:
  using WallTime = std::chrono::system_clock::time_point;
  static constexpr std::array<int, 3> days_ahead = {1, 7, 30};

  // The days left, rounded up to one of days_ahead; none: a warning for it was given already.
  std::optional<int> warn(WallTime not_after, WallTime now) {
    if (not_after != not_after_) {
      not_after_ = not_after;
      warned_.reset();
    }
    for (const int days : days_ahead) {
      if (not_after - now > std::chrono::hours(24) * days) continue;
      if (warned_ && *warned_ <= days) return std::nullopt;
      warned_ = days;
      return days;
    }
    return std::nullopt;
  }

 private:
  WallTime not_after_{};
  std::optional<int> warned_;
};

// Of a CRL: each day from the last third of its lifetime on, also after its end.
class RevocationWatch {
 public:
  using WallTime = ExpiryWatch::WallTime;
  // The link asks once an hour, so that two warnings are at most a day apart.
  static constexpr std::chrono::hours interval{23};

  // Whether a warning is due.
  bool warn(WallTime last_update, WallTime next_update, WallTime now) {
    const auto lifetime = seconds_of(next_update) - seconds_of(last_update);
    if (seconds_of(next_update) - seconds_of(now) > lifetime / 3) return false;
    const bool same = next_update == next_update_ && now >= warned_at_;
    if (same && now - warned_at_ < interval) return false;
    next_update_ = next_update;
    warned_at_ = now;
    return true;
  }

 private:
  // A difference of WallTimes can overflow: they are nanoseconds, and a CRL may end in 2262.
  static std::chrono::seconds seconds_of(WallTime at) {
    return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
  }

  WallTime next_update_{};  // of the CRL that the last warning was of
  WallTime warned_at_{};
};

}  // namespace routevpn::link
