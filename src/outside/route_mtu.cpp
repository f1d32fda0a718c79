#include "routevpn/outside/route_mtu.hpp"

#include <algorithm>
#include <array>

#include <netinet/in.h>
#include <sys/socket.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/outside/udp.hpp"

#include "udp_errors.hpp"

namespace routevpn::outside {

namespace {

bool enable(const Fd& socket, int level, int option, int value) {
  return setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

// The largest datagram exceeds the MTU of every interface except for the loopback. The kernel
// refuses it before it is sent, and its error holds the interface's MTU: with PMTUDISC_PROBE routes
// and ICMP messages do not count.
std::optional<unsigned> interface_mtu(const Fd& socket, bool v4) {
  const bool prepared = v4 ? enable(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE) &&
                                 enable(socket, IPPROTO_IP, IP_RECVERR, 1)
                           : enable(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) &&
                                 enable(socket, IPPROTO_IPV6, IPV6_RECVERR, 1);
  static constexpr std::array<std::uint8_t, max_datagram_bytes> oversize{};
  if (!prepared || ::send(socket.get(), oversize.data(), oversize.size(), MSG_DONTWAIT) >= 0) {
    return std::nullopt;
  }
  sockaddr_storage to{};
  const auto error = take_error(socket.get(), to);
  if (!error || error->ee_errno != EMSGSIZE) return std::nullopt;
  return error->ee_info;
}

}  // namespace

// connect() looks up the route of a UDP socket, and IP_MTU returns its MTU. Nothing is sent.
std::optional<RouteMtu> route_mtu(const SocketAddress& remote, std::uint32_t mark) {
  const int family = remote.address.family();
  const Fd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!socket) return std::nullopt;
  if (mark != 0 && !enable(socket, SOL_SOCKET, SO_MARK, static_cast<int>(mark))) {
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
  const auto now = static_cast<unsigned>(mtu);
  if (now >= max_datagram_bytes) return RouteMtu{now, now};
  return RouteMtu{now, std::max(now, interface_mtu(socket, v4).value_or(now))};
}

}  // namespace routevpn::outside
