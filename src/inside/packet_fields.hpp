// Offsets of header fields, in bytes from the start of their header: RFC 791 (IPv4), RFC 8200
// (IPv6), RFC 9293 (TCP), RFC 768 (UDP).
#pragma once

#include <cstddef>
#include <cstdint>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/mtu.hpp"

namespace routevpn::inside {

namespace ip4 {
inline constexpr std::size_t header_bytes = ipv4_header_bytes;
inline constexpr std::size_t tos_at = 1;
inline constexpr std::size_t total_length_at = 2;
inline constexpr std::size_t id_at = 4;
inline constexpr std::size_t fragment_at = 6;
inline constexpr std::size_t ttl_at = 8;
inline constexpr std::size_t protocol_at = 9;
inline constexpr std::size_t checksum_at = 10;
inline constexpr std::size_t addresses_at = 12;
inline constexpr std::size_t addresses_bytes = 8;  // source and destination
inline constexpr std::uint16_t dont_fragment = 0x4000;
}  // namespace ip4

namespace ip6 {
inline constexpr std::size_t header_bytes = ipv6_header_bytes;
inline constexpr std::size_t payload_length_at = 4;
inline constexpr std::size_t next_header_at = 6;
inline constexpr std::size_t hop_limit_at = 7;
inline constexpr std::size_t addresses_at = 8;
inline constexpr std::size_t addresses_bytes = 32;  // source and destination
}  // namespace ip6

namespace tcp {
inline constexpr std::uint8_t protocol = 6;
inline constexpr std::size_t header_bytes = 20;  // without options
inline constexpr std::size_t sequence_at = 4;
inline constexpr std::size_t acknowledgment_at = 8;
inline constexpr std::size_t data_offset_at = 12;
inline constexpr std::size_t flags_at = 13;
inline constexpr std::size_t window_at = 14;
inline constexpr std::size_t checksum_at = 16;
inline constexpr std::size_t urgent_at = 18;
inline constexpr std::uint8_t fin = 0x01;
inline constexpr std::uint8_t psh = 0x08;
inline constexpr std::uint8_t ack = 0x10;
inline constexpr std::uint8_t ece = 0x40;
inline constexpr std::uint8_t cwr = 0x80;
}  // namespace tcp

namespace udp {
inline constexpr std::uint8_t protocol = 17;
inline constexpr std::size_t header_bytes = udp_header_bytes;
inline constexpr std::size_t length_at = 4;
inline constexpr std::size_t checksum_at = 6;
}  // namespace udp

constexpr bool is_ip6(const std::uint8_t* packet) {
  return packet[0] >> 4 == 6;
}

// The length of the UDP or TCP header at the start of `l4`; 0 if it is malformed or not complete.
constexpr std::size_t l4_header_bytes(ConstBytes l4, bool is_udp) {
  if (l4.size() < (is_udp ? udp::header_bytes : tcp::header_bytes)) return 0;
  if (is_udp) return udp::header_bytes;
  const std::size_t bytes = std::size_t{4} * (l4[tcp::data_offset_at] >> 4);
  return bytes >= tcp::header_bytes && bytes <= l4.size() ? bytes : 0;
}

// Source and destination address in the header.
constexpr ConstBytes addresses_of(const std::uint8_t* packet) {
  return is_ip6(packet) ? ConstBytes(packet + ip6::addresses_at, ip6::addresses_bytes)
                        : ConstBytes(packet + ip4::addresses_at, ip4::addresses_bytes);
}

}  // namespace routevpn::inside
