// A set of IP prefixes, compiled once and searched for each packet or datagram.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"

namespace routevpn::datapath {

class PrefixSet {
 public:
  PrefixSet() = default;
  explicit PrefixSet(std::span<const IpPrefix> prefixes);

  [[nodiscard]] bool empty() const { return v4_.empty() && v6_.empty(); }
  [[nodiscard]] bool contains(const IpAddress& address) const {
    return address.is_v4() ? contains_v4(address.bytes().data())
                           : contains_v6(address.bytes().data());
  }
  // `address`: 4 or 16 bytes in network order.
  [[nodiscard]] bool contains_v4(const std::uint8_t* address) const {
    return contains(v4_, load_be32(address));
  }
  [[nodiscard]] bool contains_v6(const std::uint8_t* address) const {
    return contains(v6_, V6{load_be64(address), load_be64(address + 8)});
  }

 private:
  using V6 = std::pair<std::uint64_t, std::uint64_t>;  // the upper and the lower half
  template <typename Number>
  struct Range {
    Number first;
    Number last;
  };
  // Sorted. None contains another, because of two prefixes that overlap the longer is left out.
  template <typename Number>
  using Ranges = std::vector<Range<Number>>;

  template <typename Number>
  static bool contains(const Ranges<Number>& ranges, Number number) {
    const auto above = std::upper_bound(
        ranges.begin(), ranges.end(), number,
        [](const Number& wanted, const Range<Number>& range) { return wanted < range.first; });
    return above != ranges.begin() && number <= std::prev(above)->last;
  }
  template <typename Number>
  static void sort(Ranges<Number>& ranges);

  Ranges<std::uint32_t> v4_;
  Ranges<V6> v6_;
};

}  // namespace routevpn::datapath
