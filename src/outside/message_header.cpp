#include "message_header.hpp"

#include <cstring>

#include <netinet/udp.h>

namespace routevpn::outside {

MessageHeader::MessageHeader(const Endpoint& to, std::uint8_t traffic_class, int socket_family,
                             bool from_local)
    : to_(to),
      traffic_class_(traffic_class),
      from_local_(from_local),
      name_bytes_(to.remote.to_kernel(name_, socket_family)) {
  const bool v4 = to.remote.address.is_v4();
  if (from_local) control_bytes_ = put_source(0);
  if (traffic_class == 0) return;
  control_bytes_ = put(control_bytes_, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS,
                       int{traffic_class});
}

msghdr MessageHeader::message(iovec& data) {
  msghdr message{};
  message.msg_name = &name_;
  message.msg_namelen = name_bytes_;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control_bytes_ == 0 ? nullptr : control_.data();
  message.msg_controllen = control_bytes_;
  return message;
}

msghdr MessageHeader::segmented_message(iovec& data, std::uint16_t segment_bytes) {
  msghdr result = message(data);
  result.msg_control = control_.data();
  result.msg_controllen = put(control_bytes_, IPPROTO_UDP, UDP_SEGMENT, segment_bytes);
  return result;
}

template <typename T>
std::size_t MessageHeader::put(std::size_t at, int level, int type, const T& value) {
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(sizeof value);
  header.cmsg_level = level;
  header.cmsg_type = type;
  std::memcpy(control_.data() + at, &header, sizeof header);
  std::memcpy(control_.data() + at + CMSG_LEN(0), &value, sizeof value);
  return at + CMSG_SPACE(sizeof value);
}

// For an IPv4 destination the source is an in_pktinfo, also on an IPv6 socket.
std::size_t MessageHeader::put_source(std::size_t at) {
  if (!to_.local || to_.local->is_v4() != to_.remote.address.is_v4()) return at;
  if (to_.local->is_v4()) {
    in_pktinfo source{};
    std::memcpy(&source.ipi_spec_dst, to_.local->bytes().data(), sizeof source.ipi_spec_dst);
    return put(at, IPPROTO_IP, IP_PKTINFO, source);
  }
  in6_pktinfo source{};
  std::memcpy(&source.ipi6_addr, to_.local->bytes().data(), sizeof source.ipi6_addr);
  source.ipi6_ifindex = to_.remote.scope;
  return put(at, IPPROTO_IPV6, IPV6_PKTINFO, source);
}

}  // namespace routevpn::outside
