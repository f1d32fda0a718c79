// Whether a packet is a UDP datagram for somebody.
#pragma once

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"

namespace routevpn::inside {

// False for fragments but the first, and behind IPv6 extension headers.
bool is_udp_to(ConstBytes packet, const SocketAddress& to);

}  // namespace routevpn::inside
