#include "routevpn/channel/channel.hpp"

#include <cerrno>

#include <poll.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"

namespace routevpn::channel {

namespace {

// A message with more descriptors than the start has is received without the rest.
constexpr std::size_t received_control_bytes = CMSG_SPACE(most_descriptors * sizeof(int));
constexpr std::size_t sent_control_bytes = CMSG_SPACE(most_sent_descriptors * sizeof(int));

// Takes each descriptor that the kernel has installed, so that none is left open.
void take_descriptors(msghdr& header, std::vector<Fd>& into) {
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(one) + i * sizeof fd, sizeof fd);
      into.emplace_back(fd);
    }
  }
}

bool is_closed(int fd) {
  pollfd state{fd, 0, 0};
  return poll(&state, 1, 0) != 0;  // POLLHUP or POLLERR, which need no request
}

}  // namespace

std::pair<Channel, Channel> Channel::make() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw system_error("socketpair");
  }
  return {Channel(Fd(ends[0])), Channel(Fd(ends[1]))};
}

SendResult send_datagram(int fd, ConstBytes bytes, bool wait, std::span<const int> descriptors) {
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // sendmsg only reads
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, sent_control_bytes> control{};
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  const int flags = MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT);
  ssize_t sent = -1;
  do {
    sent = sendmsg(fd, &header, flags);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return SendResult::ok;
  return errno == EAGAIN ? SendResult::full : SendResult::closed;
}

ReceiveResult Channel::receive(Message& message, bool wait) const {
  message.descriptors_.clear();
  message.buffer_[0] = 0;
  iovec part{message.buffer_.data(), message.buffer_.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, received_control_bytes> control{};
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  // The end of a peer that had not read all gives one ECONNRESET, before the peer's messages.
  ssize_t got = -1;
  do {
    got = recvmsg(fd(), &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
  } while (got < 0 && (errno == EINTR || errno == ECONNRESET));
  if (got < 0) return errno == EAGAIN ? ReceiveResult::empty : ReceiveResult::closed;
  take_descriptors(header, message.descriptors_);
  // An empty datagram looks like the end of the connection, which a worker must not feign.
  if (got == 0 && is_closed(fd())) {
    errno = 0;
    return ReceiveResult::closed;
  }
  message.bytes_ =
      (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ? 0 : static_cast<std::size_t>(got);
  return ReceiveResult::ok;
}

}  // namespace routevpn::channel
