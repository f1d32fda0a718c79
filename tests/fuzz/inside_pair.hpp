// The property of segmentation and joining that the targets segment and coalesce check.
#pragma once

#include "routevpn/base/mtu.hpp"

#include "target.hpp"
#include "unit/inside/packets.hpp"

namespace routevpn::fuzz {

// Writes the length of the packet into its IP header.
inline void set_length(Octets& packet) {
  if (packet.size() < ipv6_header_bytes) return;
  if (packet[0] >> 4 == 4) store_be16(&packet[2], static_cast<std::uint16_t>(packet.size()));
  if (packet[0] >> 4 == 6) {
    store_be16(&packet[4], static_cast<std::uint16_t>(packet.size() - ipv6_header_bytes));
  }
}

// The packets as joining and segmentation must restore them: sorted, because only the order within
// a flow stays, and without the id and the checksum of IPv4 packets with DF, because such an id has
// no meaning (RFC 6864 section 4.1).
inline std::vector<Octets> comparable(std::vector<Octets> traffic) {
  for (auto& packet : traffic) {
    const bool has_id = packet[0] >> 4 == 4 && (packet[6] & 0x40) != 0;
    if (!has_id) continue;
    store_be16(&packet[4], 0);
    store_be16(&packet[10], 0);
  }
  std::ranges::sort(traffic);
  return traffic;
}

inline void require_restored(const std::vector<Octets>& traffic) {
  for (const bool udp_offload : {false, true}) {
    const auto restored = packets::split_all(packets::join(traffic, udp_offload));
    require(comparable(restored) == comparable(traffic), "segment() restores what join() joined");
  }
}

}  // namespace routevpn::fuzz
