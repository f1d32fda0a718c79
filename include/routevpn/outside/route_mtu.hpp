// The MTU of the route to an address.
#pragma once

#include <cstdint>
#include <optional>

#include "routevpn/base/address.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::outside {

// In bytes with IP header.
struct RouteMtu {
  unsigned now = 0;   // of the route, lowered by ICMP messages of the last 10 minutes
  unsigned most = 0;  // of the interface: the limit for UdpSocket
};

// Two UDP sockets, one for each family, that look up routes. Sends nothing. A look-up uses connect,
// getsockopt, send and recvmsg only, so a process that may make no socket and set no option can
// look up routes with sockets that another process has opened. Between look-ups the sockets have no
// address and no port. At most one thread uses a RouteProbe at a time.
class RouteProbe {
 public:
  // In the calling thread's network namespace; each look-up uses that namespace. `mark`: SO_MARK,
  // 0: none. A family that the kernel lacks has no socket. Throws SystemError.
  static RouteProbe open(std::uint32_t mark);
  // Takes the sockets of another RouteProbe; an empty descriptor for a missing family.
  static RouteProbe adopt(Fd v4, Fd v6);

  [[nodiscard]] int fd(bool v4) const { return (v4 ? v4_ : v6_).get(); }  // -1: none
  // None when there is no route.
  [[nodiscard]] std::optional<RouteMtu> look_up(const SocketAddress& remote) const;

 private:
  RouteProbe(Fd v4, Fd v6);
  Fd v4_;
  Fd v6_;
};

}  // namespace routevpn::outside
