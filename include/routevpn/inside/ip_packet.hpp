// Checks on the headers of one IP packet.
#pragma once

#include <cstdint>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"

namespace routevpn::inside {

// `valid`: the bytes are one whole IPv4 or IPv6 packet, so version, header length and total length
// agree with their number.
enum class IpVerdict : std::uint8_t { valid, not_ip, malformed };
IpVerdict ip_packet_verdict(ConstBytes packet);

// Whether the packet is a UDP datagram to this address and port. False for every fragment but the
// first, and for UDP behind IPv6 extension headers.
bool is_udp_to(ConstBytes packet, const SocketAddress& to);

// The destination of the packet that an ICMP error quotes: 4 or 16 bytes of `packet`, which must be
// valid. Empty if it is no ICMP error, or has IPv6 extension headers.
ConstBytes quoted_destination(ConstBytes packet);

}  // namespace routevpn::inside
