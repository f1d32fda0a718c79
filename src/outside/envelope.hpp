// What the kernel wants to know of a datagram besides its bytes: the address it goes to, and in
// control messages the address it leaves from, its traffic class and its segment size.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "routevpn/outside/udp.hpp"

namespace routevpn::outside {

class Envelope {
 public:
  // `from_local`: with to.local as its source, if there is one; otherwise that is the kernel's
  // choice.
  Envelope(const Endpoint& to, std::uint8_t traffic_class, int socket_family, bool from_local);

  [[nodiscard]] bool is_for(const Endpoint& to, std::uint8_t traffic_class, bool from_local) const {
    return traffic_class == traffic_class_ && from_local == from_local_ && to == to_;
  }
  // Messages that point into this envelope and at `data`.
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
