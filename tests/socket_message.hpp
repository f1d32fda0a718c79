// A datagram with its ancillary data, for tests.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <sys/socket.h>

namespace routevpn::test {

struct SocketMessage {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint8_t> control;  // the content of the only item; empty: none
};

// None: no datagram waits on the non-blocking socket.
inline std::optional<SocketMessage> take_message(int socket) {
  std::array<std::uint8_t, 256> bytes{};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> control{};
  iovec part{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const auto got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  if (got < 0) return std::nullopt;
  SocketMessage message{{bytes.begin(), bytes.begin() + got}, {}};
  if (const cmsghdr* const item = CMSG_FIRSTHDR(&header)) {
    const auto begin = control.begin() + CMSG_LEN(0);
    message.control.assign(begin, control.begin() + static_cast<std::ptrdiff_t>(item->cmsg_len));
  }
  return message;
}

}  // namespace routevpn::test
