#include "routevpn/outside/route_mtu.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/outside/udp.hpp"

#include "udp_errors.hpp"

namespace routevpn::outside {

namespace {

void set_probe_option(const Fd& socket, int level, int option, int value, const char* what) {
  if (setsockopt(socket.get(), level, option, &value, sizeof value) != 0) {
    throw system_error(std::string("looking up routes: ") + what);
  }
}

// With PMTUDISC_PROBE the kernel compares a datagram with the interface's MTU; routes and ICMP
// messages do not count.
Fd open_probe(int family, std::uint32_t mark) {
  Fd socket(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
  if (!socket && errno == EAFNOSUPPORT) return socket;
  if (!socket) throw system_error("looking up routes: socket");
  if (mark != 0) set_probe_option(socket, SOL_SOCKET, SO_MARK, static_cast<int>(mark), "SO_MARK");
  if (family == AF_INET) {
    set_probe_option(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER");
    set_probe_option(socket, IPPROTO_IP, IP_RECVERR, 1, "IP_RECVERR");
  } else {
    set_probe_option(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE,
                     "IPV6_MTU_DISCOVER");
    set_probe_option(socket, IPPROTO_IPV6, IPV6_RECVERR, 1, "IPV6_RECVERR");
  }
  return socket;
}

// A connection of a UDP socket holds the source address and port, also after the host has lost the
// address. AF_UNSPEC releases both.
void disconnect(int socket) {
  const sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
  [[maybe_unused]] const int done = connect(socket, &none, sizeof none);
}

void drop_errors(int socket) {
  bool more = true;
  while (more) more = take_error(socket).has_value();
}

// The largest datagram exceeds the MTU of every interface except for the loopback. The kernel
// refuses it before it is sent, and its error holds the interface's MTU.
std::optional<unsigned> interface_mtu(int socket) {
  static constexpr std::array<std::uint8_t, max_datagram_bytes> oversize{};
  if (::send(socket, oversize.data(), oversize.size(), MSG_DONTWAIT) >= 0) return std::nullopt;
  const auto error = take_error(socket);
  if (!error || error->what.ee_errno != EMSGSIZE) return std::nullopt;
  return error->what.ee_info;
}

// connect() looks up the route of a UDP socket, and IP_MTU returns its MTU.
std::optional<RouteMtu> connect_to(const SocketAddress& remote, int socket) {
  sockaddr_storage name{};
  const socklen_t name_bytes = remote.to_kernel(name, remote.address.family());
  if (connect(socket, reinterpret_cast<const sockaddr*>(&name), name_bytes) != 0) {
    return std::nullopt;
  }
  int mtu = 0;
  socklen_t length = sizeof mtu;
  const bool v4 = remote.address.is_v4();
  if (getsockopt(socket, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU, &mtu, &length) !=
      0) {
    return std::nullopt;
  }
  const auto now = static_cast<unsigned>(mtu);
  if (now >= max_datagram_bytes) return RouteMtu{now, now};
  return RouteMtu{now, std::max(now, interface_mtu(socket).value_or(now))};
}

}  // namespace

RouteProbe RouteProbe::open(std::uint32_t mark) {
  Fd v4 = open_probe(AF_INET, mark);
  return {std::move(v4), open_probe(AF_INET6, mark)};
}

RouteProbe RouteProbe::adopt(Fd v4, Fd v6) {
  return {std::move(v4), std::move(v6)};
}

RouteProbe::RouteProbe(Fd v4, Fd v6) : v4_(std::move(v4)), v6_(std::move(v6)) {}

// The process that had the sockets before may have ended during a look-up, so the first two steps
// do not rely on the last.
std::optional<RouteMtu> RouteProbe::look_up(const SocketAddress& remote) const {
  const int socket = fd(remote.address.is_v4());
  if (socket < 0) return std::nullopt;
  disconnect(socket);
  drop_errors(socket);
  const auto mtu = connect_to(remote, socket);
  disconnect(socket);
  return mtu;
}

}  // namespace routevpn::outside
