// When to warn that a certificate ends: 30, 7 and 1 days ahead, each once. Pure.
#pragma once

#include <array>
#include <chrono>
#include <optional>

namespace routevpn::link {

class ExpiryWatch {
 public:
  using WallTime = std::chrono::system_clock::time_point;
  static constexpr std::array<int, 3> days_ahead = {1, 7, 30};

  // Within how many days the certificate that ends then does, if that is news.
  std::optional<int> news(WallTime not_after, WallTime now) {
    if (not_after != of_) {
      of_ = not_after;
      said_.reset();
    }
    for (const int days : days_ahead) {
      if (not_after - now > std::chrono::hours(24) * days) continue;
      if (said_ && *said_ <= days) return std::nullopt;
      said_ = days;
      return days;
    }
    return std::nullopt;
  }

 private:
  WallTime of_{};
  std::optional<int> said_;
};

}  // namespace routevpn::link
