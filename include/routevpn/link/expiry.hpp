// When to warn of the end of a certificate: once at 30, 7 and 1 days before. Pure.
#pragma once

#include <array>
#include <chrono>
#include <optional>

namespace routevpn::link {

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

}  // namespace routevpn::link
