#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "routevpn/outside/udp.hpp"

#include "message_header.hpp"
#include "udp_errors.hpp"

namespace routevpn::outside {

namespace {

constexpr std::uint8_t ecn_bits = 0x03;

// An IPv4 datagram on an IPv6 socket has both in_pktinfo and in6_pktinfo.
constexpr std::size_t received_control_bytes = CMSG_SPACE(sizeof(in_pktinfo)) +
                                               CMSG_SPACE(sizeof(in6_pktinfo)) +
                                               CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(int));

// Each attempt takes one waiting ICMP error off the socket. The caller's loop continues with more.
constexpr int max_attempts = 8;

template <typename T>
T value_of(cmsghdr* control) {
  T value{};
  std::memcpy(&value, CMSG_DATA(control),
              std::min<std::size_t>(sizeof value, control->cmsg_len - CMSG_LEN(0)));
  return value;
}

std::optional<IpAddress> local_address(const in_pktinfo& info) {
  return IpAddress::v4(std::bit_cast<std::array<std::uint8_t, 4>>(info.ipi_spec_dst));
}

// None for a multicast address (ff02::1 reaches every socket), which cannot be the source of a
// reply, and for an IPv4-mapped one, because in_pktinfo has it too.
std::optional<IpAddress> local_address(const in6_pktinfo& info) {
  if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr) || IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr)) return {};
  return IpAddress::v6(std::bit_cast<std::array<std::uint8_t, 16>>(info.ipi6_addr));
}

void read_control(cmsghdr* control, Received& received) {
  if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
    const auto segment = static_cast<std::size_t>(std::max(value_of<int>(control), 1));
    received.segment_bytes = std::min(received.segment_bytes, segment);
  } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
    received.from.local = local_address(value_of<in_pktinfo>(control));
  } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
    received.from.local = local_address(value_of<in6_pktinfo>(control));
  } else if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_TOS) {
    received.ecn = value_of<std::uint8_t>(control) & ecn_bits;
  } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_TCLASS) {
    received.ecn = static_cast<std::uint8_t>(value_of<int>(control)) & ecn_bits;
  }
}

}  // namespace

RecvResult UdpSocket::receive(Bytes buffer, Received& received) const {
  sockaddr_storage from{};
  alignas(cmsghdr) std::array<std::uint8_t, received_control_bytes> control;
  iovec data{buffer.data(), buffer.size()};
  for (int attempt = 0; attempt < max_attempts; ++attempt) {
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length = recvmsg(fd(), &message, 0);
    if (length >= 0) {
      const auto bytes = static_cast<std::size_t>(length);
      received = {buffer.first(bytes), std::max<std::size_t>(bytes, 1), {}, 0};
      received.from.remote = SocketAddress::from_kernel(from);
      for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        read_control(c, received);
      }
      return RecvResult::ok;
    }
    if (errno == EAGAIN) return RecvResult::would_block;
    if (!is_earlier_error(errno)) return RecvResult::failed;
  }
  return RecvResult::would_block;
}

}  // namespace routevpn::outside
