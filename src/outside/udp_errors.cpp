#include "udp_errors.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "routevpn/outside/udp.hpp"

namespace routevpn::outside {

namespace {

// The control messages of a datagram, then the error with the address of the router that sent it.
constexpr std::size_t error_control_bytes =
    CMSG_SPACE(sizeof(sock_extended_err) + sizeof(sockaddr_in6)) + CMSG_SPACE(sizeof(in_pktinfo)) +
    CMSG_SPACE(sizeof(in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int));

// Errors read in one call. poll() reports POLLERR again while there are more.
constexpr int max_errors = 64;

bool is_error(const cmsghdr& control) {
  return (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_RECVERR) ||
         (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_RECVERR);
}

// The sender of an ICMP error follows the error.
std::optional<IpAddress> reporter_of(const cmsghdr& control) {
  const std::size_t bytes = control.cmsg_len - CMSG_LEN(0);
  sockaddr_storage sender{};
  if (bytes < sizeof(sock_extended_err) + sizeof(sockaddr_in)) return std::nullopt;
  std::memcpy(&sender, CMSG_DATA(&control) + sizeof(sock_extended_err),
              std::min(sizeof sender, bytes - sizeof(sock_extended_err)));
  if (sender.ss_family == AF_UNSPEC) return std::nullopt;
  return SocketAddress::from_kernel(sender).address;
}

// A firewall or a filter of routes on the path refuses the datagrams: RFC 1812 section 5.2.7.1, RFC
// 4443 section 3.1. Older headers lack the names of the codes 5 and 6 of ICMPv6.
bool is_prohibited(const sock_extended_err& error) {
  constexpr std::uint8_t source_policy = 5;
  constexpr std::uint8_t reject_route = 6;
  if (error.ee_origin == SO_EE_ORIGIN_ICMP6) {
    return error.ee_type == ICMP6_DST_UNREACH &&
           (error.ee_code == ICMP6_DST_UNREACH_ADMIN || error.ee_code == source_policy ||
            error.ee_code == reject_route);
  }
  return error.ee_origin == SO_EE_ORIGIN_ICMP && error.ee_type == ICMP_DEST_UNREACH &&
         (error.ee_code == ICMP_NET_ANO || error.ee_code == ICMP_HOST_ANO ||
          error.ee_code == ICMP_PKT_FILTERED);
}

}  // namespace

bool is_earlier_error(int error) {
  constexpr std::array errors = {EMSGSIZE,  EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH,
                                 EHOSTDOWN, ENONET, ENOPROTOOPT,  EPROTO,       EINTR};
  return std::find(errors.begin(), errors.end(), error) != errors.end();
}

std::optional<QueuedError> take_error(int socket) {
  sockaddr_storage to{};
  alignas(cmsghdr) std::array<std::uint8_t, error_control_bytes> control;
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = sizeof to;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  QueuedError error{};
  error.to = SocketAddress::from_kernel(to);
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (!is_error(*c)) continue;
    std::memcpy(&error.what, CMSG_DATA(c), sizeof error.what);
    error.reporter = reporter_of(*c);
  }
  return error;
}

SocketErrors UdpSocket::take_errors() const {
  SocketErrors news;
  auto& too_big = news.too_big;
  for (int i = 0; i < max_errors; ++i) {
    const auto error = take_error(fd());
    if (!error) break;
    const auto& [what, to, reporter] = *error;
    const auto number = static_cast<int>(what.ee_errno);
    if (number != EMSGSIZE) {
      news.undelivered = Undelivered{to, number, reporter, is_prohibited(what)};
    } else if (!too_big || what.ee_info < too_big->mtu) {
      too_big = TooBig{to.address, what.ee_info, what.ee_origin == SO_EE_ORIGIN_LOCAL};
    }
  }
  return news;
}

}  // namespace routevpn::outside
