// Streams of packets for join().
#pragma once

#include <vector>

#include "packets.hpp"

namespace packets {

// `count` consecutive packets of one flow.
inline std::vector<Spec> stream(const Spec& first, std::size_t count) {
  std::vector<Spec> specs(count, first);
  for (std::size_t i = 0; i < count; ++i) {
    specs[i].id = static_cast<std::uint16_t>(first.id + i);
    specs[i].sequence = static_cast<std::uint32_t>(first.sequence + i * first.payload.size());
    for (auto& octet : specs[i].payload) octet = static_cast<std::uint8_t>(octet + i);
  }
  return specs;
}

inline std::vector<Octets> build_all(const std::vector<Spec>& specs) {
  std::vector<Octets> result;
  result.reserve(specs.size());
  for (const Spec& spec : specs) result.push_back(packets::build(spec));
  return result;
}

// The number of packets in each super-packet.
using Sizes = std::vector<std::size_t>;
inline Sizes sizes(const std::vector<Joined>& joined) {
  Sizes result;
  result.reserve(joined.size());
  for (const Joined& super : joined) result.push_back(super.packets);
  return result;
}

inline Spec a_spec(bool v6, std::uint8_t protocol, std::size_t payload_bytes = 1000) {
  Spec spec;
  spec.v6 = v6;
  spec.protocol = protocol;
  spec.payload = Octets(payload_bytes, 0x11);
  return spec;
}

}  // namespace packets
