// The traffic class octet of IP packets, which is DSCP (RFC 2474) and ECN (RFC 3168), and what the
// ECN of an outer header means for the packet that came in it: RFC 6040.
#pragma once

#include <cstdint>

#include "routevpn/base/bytes.hpp"

namespace routevpn::inside {

inline constexpr std::uint8_t ecn_bits = 0x03;

// RFC 3168 section 5. ECT: whoever sends it hears of congestion by marks, others by loss.
enum class Ecn : std::uint8_t { not_ect = 0, ect_1 = 1, ect_0 = 2, congested = 3 };

constexpr Ecn ecn_of(std::uint8_t traffic_class) {
  return static_cast<Ecn>(traffic_class & ecn_bits);
}

// 0 for bytes that are no IP packet.
constexpr std::uint8_t traffic_class(ConstBytes packet) {
  if (packet.size() < 2) return 0;
  const unsigned version = packet[0] >> 4;
  if (version == 4) return packet[1];
  return version == 6 ? static_cast<std::uint8_t>(packet[0] << 4 | packet[1] >> 4) : 0;
}

// Writes into the packet what became of its ECN on the way outside, RFC 6040 section 4.2; an IPv4
// header checksum stays as right or wrong as it was. False when the packet must be dropped: routers
// met congestion, and its sender would not understand the mark. The packet must have passed
// ip_packet_verdict().
[[nodiscard]] bool take_outer_ecn(Bytes packet, Ecn outer);

}  // namespace routevpn::inside
