// The MTU of the interface for an MTU of the path. All numbers in bytes.
#pragma once

#include <algorithm>

#include "routevpn/base/mtu.hpp"
#include "routevpn/record/cipher.hpp"

namespace routevpn::datapath {

inline constexpr unsigned ethernet_mtu = 1500;  // assumed without a route's MTU

// What an outside packet adds to the inside packet: IP header, UDP header and record.
inline unsigned overhead_bytes(bool outside_is_v4, record::CipherSuite suite) {
  const std::size_t ip = outside_is_v4 ? ipv4_header_bytes : ipv6_header_bytes;
  return static_cast<unsigned>(ip + udp_header_bytes + record::headroom(suite) + record::tailroom);
}

// The interface's MTU where one record on the path carries payload_bytes. It is never below the
// minimum of the inside family: larger packets than the path carries are fragmented.
constexpr unsigned interface_mtu(unsigned payload_bytes, bool inside_has_v6) {
  return std::clamp(payload_bytes, inside_has_v6 ? ipv6_minimum_mtu : ipv4_minimum_mtu,
                    maximum_mtu);
}

// The interface's MTU for a path MTU.
inline unsigned inside_mtu(unsigned outside_mtu, bool outside_is_v4, record::CipherSuite suite,
                           bool inside_has_v6) {
  const unsigned overhead = overhead_bytes(outside_is_v4, suite);
  return interface_mtu(outside_mtu - std::min(outside_mtu, overhead), inside_has_v6);
}

}  // namespace routevpn::datapath
