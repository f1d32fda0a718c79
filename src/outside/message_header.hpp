// The message header (msghdr) of an outgoing datagram: its destination and, in control messages
// (cmsg(3)), source address, traffic class and segment size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "routevpn/outside/udp.hpp"

namespace routevpn::outside {

class MessageHeader {
 public:
  // `from_local`: the source address is to.local, if that is set. Otherwise the routing table
  // chooses.
  MessageHeader(const Endpoint& to, std::uint8_t traffic_class, int socket_family, bool from_local);

  [[nodiscard]] bool is_for(const Endpoint& to, std::uint8_t traffic_class, bool from_local) const {
    return traffic_class == traffic_class_ && from_local == from_local_ && to == to_;
  }
  // The results point into this header and at `data`.
  msghdr message(iovec& data);
  msghdr segmented_message(iovec& data, std::uint16_t segment_bytes);

 private:
  template <typename T>
  std::size_t put(std::size_t at, int level, int type, const T& value);
  std::size_t put_source(std::size_t at);

  Endpoint to_;
  std::uint8_t traffic_class_;
  bool from_local_;
  sockaddr_storage name_;
  socklen_t name_bytes_;
  alignas(
      cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
                                            CMSG_SPACE(sizeof(std::uint16_t))> control_{};
  std::size_t control_bytes_ = 0;  // without the segment size
};

}  // namespace routevpn::outside
