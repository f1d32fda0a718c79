#include "routevpn/datapath/prefix_set.hpp"

namespace routevpn::datapath {
namespace {

// The lowest `bits` bits, 0 to 64.
std::uint64_t low_bits(unsigned bits) {
  return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

}  // namespace

PrefixSet::PrefixSet(std::span<const IpPrefix> prefixes) {
  for (const IpPrefix& prefix : prefixes) {
    const IpPrefix network = prefix.network();
    const std::uint8_t* const bytes = network.address.bytes().data();
    const unsigned host_bits = network.address.bits() - network.length;
    if (network.address.is_v4()) {
      const std::uint32_t first = load_be32(bytes);
      v4_.push_back({first, first | static_cast<std::uint32_t>(low_bits(host_bits))});
    } else {
      const V6 first{load_be64(bytes), load_be64(bytes + 8)};
      const unsigned upper_bits = host_bits > 64 ? host_bits - 64 : 0;
      v6_.push_back(
          {first, {first.first | low_bits(upper_bits), first.second | low_bits(host_bits)}});
    }
  }
  sort(v4_);
  sort(v6_);
}

template <typename Number>
void PrefixSet::sort(Ranges<Number>& ranges) {
  // Of ranges with an equal start the largest is first.
  std::sort(ranges.begin(), ranges.end(), [](const auto& one, const auto& other) {
    return one.first != other.first ? one.first < other.first : other.last < one.last;
  });
  Ranges<Number> kept;
  for (const auto& range : ranges) {
    if (kept.empty() || kept.back().last < range.first) kept.push_back(range);
  }
  ranges = std::move(kept);
}

}  // namespace routevpn::datapath
