// The MTU of the route to an address.
#pragma once

#include <cstdint>
#include <optional>

#include "routevpn/base/address.hpp"

namespace routevpn::outside {

// In bytes with IP header.
struct RouteMtu {
  unsigned now = 0;   // of the route, lowered by ICMP messages of the last 10 minutes
  unsigned most = 0;  // of the interface: the limit for UdpSocket
};
// In the calling thread's network namespace. `mark`: SO_MARK, 0: none. None when there is no route.
std::optional<RouteMtu> route_mtu(const SocketAddress& remote, std::uint32_t mark);

}  // namespace routevpn::outside
