// The reasons for which packets, records and handshakes are dropped, and a counter for each.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace routevpn {

enum class Drop : std::uint8_t {
#define DROP(reason) reason,
#include "routevpn/base/drop_reasons.def"
#undef DROP
  count_
};

inline constexpr std::size_t drop_count = static_cast<std::size_t>(Drop::count_);

// The enumerator's name, which is also its name in `show --json`.
inline std::string_view name_of(Drop reason) {
  static constexpr std::array<std::string_view, drop_count> names = {
#define DROP(name) #name,
#include "routevpn/base/drop_reasons.def"
#undef DROP
  };
  return names[static_cast<std::size_t>(reason)];
}

// Any thread may use them.
class DropCounters {
 public:
  void add(Drop reason, std::uint64_t n = 1) {
    counters_[static_cast<std::size_t>(reason)].fetch_add(n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get(Drop reason) const {
    return counters_[static_cast<std::size_t>(reason)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, drop_count> counters_{};
};

}  // namespace routevpn
