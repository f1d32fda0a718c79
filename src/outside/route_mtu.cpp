#include <netinet/in.h>
#include <sys/socket.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::outside {

// A connected UDP socket has a route, and tells its MTU; nothing is sent.
std::optional<unsigned> route_mtu(const SocketAddress& remote, std::uint32_t mark) {
  const int family = remote.address.family();
  const Fd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!socket) return std::nullopt;
  if (mark != 0 && setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0) {
    return std::nullopt;
  }
  sockaddr_storage name{};
  const socklen_t name_bytes = remote.to_kernel(name, family);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&name), name_bytes) != 0) {
    return std::nullopt;
  }
  int mtu = 0;
  socklen_t length = sizeof mtu;
  const bool v4 = family == AF_INET;
  if (getsockopt(socket.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu,
                 &length) != 0) {
    return std::nullopt;
  }
  return static_cast<unsigned>(mtu);
}

}  // namespace routevpn::outside
