// The inside MTU for an outside one. Pure.
#pragma once

#include <algorithm>

#include "routevpn/record/cipher.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::datapath {

inline constexpr unsigned ethernet_mtu = 1500;     // when nothing better is known
inline constexpr unsigned ipv4_minimum_mtu = 576;  // RFC 791: what every IPv4 host takes
inline constexpr unsigned ipv6_minimum_mtu =
    1280;  // RFC 8200 section 5: below it IPv6 is switched off
inline constexpr unsigned maximum_mtu = record::max_plaintext_bytes;  // one record, one packet

// Bytes around an inside packet in an outside one: IP and UDP header, record header, explicit
// nonce, tag.
constexpr unsigned overhead_bytes(bool outside_is_v4, record::CipherSuite suite) {
  const unsigned ip = outside_is_v4 ? 20 : 40;
  const unsigned udp = 8;
  const unsigned record_header = 13;
  const unsigned explicit_nonce = suite == record::CipherSuite::chacha20_poly1305 ? 0 : 8;
  return ip + udp + record_header + explicit_nonce + record::tag_bytes;
}

// Of the interface, when one record on the path has room for a packet of payload_bytes. Never below
// what the inside needs: what the path then does not carry whole goes in pieces.
constexpr unsigned interface_mtu(unsigned payload_bytes, bool inside_has_v6) {
  return std::clamp(payload_bytes, inside_has_v6 ? ipv6_minimum_mtu : ipv4_minimum_mtu,
                    maximum_mtu);
}

// The same for a path's MTU.
constexpr unsigned inside_mtu(unsigned outside_mtu, bool outside_is_v4, record::CipherSuite suite,
                              bool inside_has_v6) {
  const unsigned overhead = overhead_bytes(outside_is_v4, suite);
  return interface_mtu(outside_mtu - std::min(outside_mtu, overhead), inside_has_v6);
}

}  // namespace routevpn::datapath
