// Limits of packet sizes and lengths of headers that several rooms share. All in bytes.
#pragma once

#include <cstddef>

namespace routevpn {

inline constexpr unsigned ipv4_minimum_mtu = 576;   // RFC 791 section 3.1: every host takes it
inline constexpr unsigned ipv6_minimum_mtu = 1280;  // RFC 8200 section 5; the kernel refuses less
// The most that one record carries (RFC 5246 section 6.2.1); a record carries one packet.
inline constexpr unsigned maximum_mtu = 16384;

inline constexpr std::size_t ipv4_header_bytes = 20;  // without options
inline constexpr std::size_t ipv6_header_bytes = 40;  // without extension headers
inline constexpr std::size_t udp_header_bytes = 8;

}  // namespace routevpn
