// The traffic class octet of IP packets, DSCP (RFC 2474) and ECN (RFC 3168), and the ECN rules for
// tunnels (RFC 6040).
#pragma once

#include <cstdint>

#include "routevpn/base/bytes.hpp"

namespace routevpn::inside {

inline constexpr std::uint8_t ecn_bits = 0x03;

// RFC 3168 section 5. Routers mark ECT packets when they meet congestion, and drop not-ECT packets.
enum class Ecn : std::uint8_t { not_ect = 0, ect_1 = 1, ect_0 = 2, congested = 3 };

constexpr Ecn ecn_of(std::uint8_t traffic_class) {
  return static_cast<Ecn>(traffic_class & ecn_bits);
}

// 0 if the bytes are not an IP packet.
constexpr std::uint8_t traffic_class(ConstBytes packet) {
  if (packet.size() < 2) return 0;
  const unsigned version = packet[0] >> 4;
  if (version == 4) return packet[1];
  return version == 6 ? static_cast<std::uint8_t>(packet[0] << 4 | packet[1] >> 4) : 0;
}

// Writes the outer header's ECN into the inner packet (RFC 6040 section 4.2). An IPv4 header
// checksum is updated, so a wrong one stays wrong. False when the packet must be dropped: it has a
// congestion mark and is not-ECT. The packet must have passed ip_packet_verdict().
[[nodiscard]] bool take_outer_ecn(Bytes packet, Ecn outer);

}  // namespace routevpn::inside
