#include "udp_errors.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>

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

}  // namespace

bool is_earlier_error(int error) {
  constexpr std::array errors = {EMSGSIZE,  EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH,
                                 EHOSTDOWN, ENONET, ENOPROTOOPT,  EPROTO,       EINTR};
  return std::find(errors.begin(), errors.end(), error) != errors.end();
}

std::optional<sock_extended_err> take_error(int socket, sockaddr_storage& to) {
  alignas(cmsghdr) std::array<std::uint8_t, error_control_bytes> control;
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = sizeof to;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  sock_extended_err error{};
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (is_error(*c)) std::memcpy(&error, CMSG_DATA(c), sizeof error);
  }
  return error;
}

std::optional<TooBig> UdpSocket::take_errors() const {
  std::optional<TooBig> news;
  for (int i = 0; i < max_errors; ++i) {
    sockaddr_storage to{};
    const auto error = take_error(fd(), to);
    if (!error) break;
    if (error->ee_errno != EMSGSIZE || (news && news->mtu <= error->ee_info)) continue;
    news = TooBig{SocketAddress::from_kernel(to).address, error->ee_info,
                  error->ee_origin == SO_EE_ORIGIN_LOCAL};
  }
  return news;
}

}  // namespace routevpn::outside
