// What the fuzz targets share. A target is one function, run_target(), in a file that bears its
// name. libFuzzer calls it with one input after another.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/base/bytes.hpp"

namespace routevpn::fuzz {

using Octets = std::vector<std::uint8_t>;

// An input, read from the front. Reads beyond its end return zeros or fewer bytes.
class Input {
 public:
  explicit Input(ConstBytes bytes) : rest_(bytes) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] ConstBytes rest() const { return rest_; }
  ConstBytes take(std::size_t count) {
    const auto taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::uint8_t byte() {
    const auto taken = take(1);
    return taken.empty() ? 0 : taken[0];
  }
  std::uint16_t number() {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  // The bytes behind a length of 16 bits. In memory of their own, so that AddressSanitizer detects
  // every access beyond them.
  Octets chunk() {
    const auto taken = take(number());
    return {taken.begin(), taken.end()};
  }
  [[nodiscard]] std::string text() const { return {rest_.begin(), rest_.end()}; }

 private:
  ConstBytes rest_;
};

// Ends the process, which libFuzzer reports as a finding, unless the condition holds.
inline void require(bool condition, std::string_view violated) {
  if (condition) return;
  std::fprintf(stderr, "violated: %.*s\n", static_cast<int>(violated.size()), violated.data());
  std::abort();
}

void run_target(Input input);

}  // namespace routevpn::fuzz
