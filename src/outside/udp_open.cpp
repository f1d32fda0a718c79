#include <array>
#include <string>

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/outside/udp.hpp"

#include "message_header.hpp"

namespace routevpn::outside {

namespace {

// 8 MiB. With the default, 212992 bytes, bursts overflow the buffer and TCP inside retransmits.
constexpr int buffer_bytes = 8 << 20;

std::string option_text(const UdpOptions& options) {
  if (!options.address) return "--listen " + std::to_string(options.port);
  return "--listen " + SocketAddress{*options.address, options.port}.to_string();
}

void set_option(const Fd& socket, int level, int name, int value, const char* what) {
  if (setsockopt(socket.get(), level, name, &value, sizeof value) != 0) {
    throw system_error(std::string("UDP socket: ") + what);
  }
}

// Without CAP_NET_ADMIN the buffer is limited by the sysctl `limit`.
void set_buffer(const Fd& socket, int force_name, int name, const char* limit) {
  const int wanted = buffer_bytes;
  if (setsockopt(socket.get(), SOL_SOCKET, force_name, &wanted, sizeof wanted) == 0) return;
  setsockopt(socket.get(), SOL_SOCKET, name, &wanted, sizeof wanted);
  int got = 0;
  socklen_t length = sizeof got;
  getsockopt(socket.get(), SOL_SOCKET, name, &got, &length);
  if (got >= wanted) return;
  log_warning("the UDP socket's buffer is " + std::to_string(got) + " bytes instead of " +
              std::to_string(wanted) + ": raise " + limit + " or grant CAP_NET_ADMIN");
}

void set_mark(const Fd& socket, std::uint32_t mark) {
  if (mark == 0) return;
  if (setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0) {
    throw system_error("--fwmark " + std::to_string(mark));
  }
}

// PMTUDISC_PROBE sets DF and ignores the kernel's path MTU, because the session probes the path
// MTU. IP_RECVERR queues ICMP errors for take_errors(). Each received datagram comes with its
// destination address and traffic class.
void set_v4_options(const Fd& socket) {
  set_option(socket, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER");
  set_option(socket, IPPROTO_IP, IP_RECVERR, 1, "IP_RECVERR");
  set_option(socket, IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO");
  set_option(socket, IPPROTO_IP, IP_RECVTOS, 1, "IP_RECVTOS");
}

void set_v6_options(const Fd& socket, bool v6_only) {
  set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, v6_only ? 1 : 0, "IPV6_V6ONLY");
  set_option(socket, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, "IPV6_MTU_DISCOVER");
  set_option(socket, IPPROTO_IPV6, IPV6_RECVERR, 1, "IPV6_RECVERR");
  set_option(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO");
  set_option(socket, IPPROTO_IPV6, IPV6_RECVTCLASS, 1, "IPV6_RECVTCLASS");
}

Fd make_socket(int family) {
  return Fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
}

void bind_to(const Fd& socket, int family, const UdpOptions& options) {
  const IpAddress any = family == AF_INET ? IpAddress{} : IpAddress::v6({});
  sockaddr_storage name{};
  const SocketAddress wanted{options.address.value_or(any), options.port};
  const socklen_t length = wanted.to_kernel(name, family);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), length) == 0) return;
  const int error = errno;
  const std::string option = option_text(options);
  if (error == EADDRINUSE) {
    throw BusyError(option + ": port " + std::to_string(options.port) + " is in use");
  }
  // Also for a tentative IPv6 address (RFC 4862 section 5.4).
  if (error == EADDRNOTAVAIL) {
    throw UsageError(option + ": " + wanted.address.to_string() +
                         " is not an address of this network namespace, or is still tentative",
                     Exit::failed);
  }
  // The kernel's error for a link-local address without an interface.
  if (error == EINVAL) {
    throw UsageError(option + ": " + wanted.address.to_string() +
                     " is link-local: give a global address of this host, or none");
  }
  throw system_error(option, error);
}

void set_options(const Fd& socket, int family, const UdpOptions& options) {
  const bool dual_stack = family == AF_INET6 && !options.address;
  if (family == AF_INET6) set_v6_options(socket, !dual_stack);
  if (family == AF_INET || dual_stack) set_v4_options(socket);
  set_option(socket, IPPROTO_UDP, UDP_GRO, 1, "UDP_GRO");
  set_buffer(socket, SO_RCVBUFFORCE, SO_RCVBUF, "net.core.rmem_max");
  set_buffer(socket, SO_SNDBUFFORCE, SO_SNDBUF, "net.core.wmem_max");
  set_mark(socket, options.mark);
}

// For example by `ip vrf exec`. The kernel ends it when the socket is disconnected.
bool is_bound_to_device(const Fd& socket) {
  std::array<char, IFNAMSIZ> name{};
  socklen_t length = name.size();
  return getsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, name.data(), &length) == 0 &&
         length > 0;
}

}  // namespace

UdpSocket UdpSocket::open(const UdpOptions& options) {
  int family = options.address ? options.address->family() : AF_INET6;
  Fd socket = make_socket(family);
  if (!socket && errno == EAFNOSUPPORT && !options.address) {
    family = AF_INET;
    socket = make_socket(family);
  }
  if (!socket) throw system_error(option_text(options));
  set_options(socket, family, options);
  bind_to(socket, family, options);
  return {std::move(socket), family, options.routed_source};
}

// SO_REUSEPORT lets sockets of one user share a port. The first socket gets it only now: two links
// with the same port must not start.
UdpSocket UdpSocket::open_beside(const UdpSocket& first, const UdpOptions& options) {
  if (is_bound_to_device(first.fd_)) {
    throw SystemError("second UDP socket: it would leave the VRF with its peer");
  }
  Fd socket = make_socket(first.family());
  if (!socket) throw system_error("second UDP socket");
  set_options(socket, first.family(), options);
  UdpOptions same = options;
  same.port = first.local().port;
  set_option(first.fd_, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
  set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
  bind_to(socket, first.family(), same);
  UdpSocket second(std::move(socket), first.family(), options.routed_source);
  second.may_change_source_ = false;
  second.receive_nothing();
  return second;
}

UdpSocket UdpSocket::adopt(Fd fd, int family, bool routed_source) {
  return {std::move(fd), family, routed_source};
}

UdpSocket UdpSocket::adopt_beside(Fd fd, int family) {
  UdpSocket second(std::move(fd), family, false);
  second.may_change_source_ = false;
  return second;
}

UdpSocket::UdpSocket(Fd fd, int family, bool routed_source)
    : fd_(std::move(fd)),
      family_(family),
      routed_source_(routed_source),
      header_(std::make_unique<MessageHeader>(Endpoint{}, std::uint8_t{0}, family, false)) {}

UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;
UdpSocket& UdpSocket::operator=(UdpSocket&&) noexcept = default;
UdpSocket::~UdpSocket() = default;

void UdpSocket::restore() const {
  const int off = 0;
  setsockopt(fd(), IPPROTO_UDP, UDP_CORK, &off, sizeof off);
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  if (getpeername(fd(), reinterpret_cast<sockaddr*>(&peer), &length) != 0) return;
  disconnect();
}

void UdpSocket::disconnect() const {
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  static_cast<void>(::connect(fd(), &none, sizeof none));
}

// Without the disconnection the kernel would keep the source address of the old peer.
bool UdpSocket::connect_to(const SocketAddress& peer) const {
  disconnect();
  sockaddr_storage name{};
  const socklen_t length = peer.to_kernel(name, family_);
  if (::connect(fd(), reinterpret_cast<const sockaddr*>(&name), length) == 0) return true;
  receive_nothing();
  return false;
}

// Connected to the discard port of this host (RFC 863). A host whose loopback interface was never
// up has a route to the socket's own address alone.
void UdpSocket::receive_nothing() const {
  constexpr std::uint16_t discard = 9;
  restore();
  for (const IpAddress& own :
       {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("::1"), local().address}) {
    if (family_ == AF_INET && !own.is_v4()) continue;
    sockaddr_storage name{};
    const socklen_t length = SocketAddress{own, discard}.to_kernel(name, family_);
    if (::connect(fd(), reinterpret_cast<const sockaddr*>(&name), length) == 0) return;
  }
}

SocketAddress UdpSocket::local() const {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  getsockname(fd(), reinterpret_cast<sockaddr*>(&name), &length);
  return SocketAddress::from_kernel(name);
}

}  // namespace routevpn::outside
