#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include <sys/socket.h>
#include <sys/uio.h>

#include "routevpn/outside/udp.hpp"

#include "message_header.hpp"
#include "udp_errors.hpp"

namespace routevpn::outside {

namespace {

// UDP_MAX_SEGMENTS of Linux before 6.9.
constexpr std::size_t max_segments_before_6_9 = 64;

// Datagrams of one sendmmsg(). Their headers take 64 x (64 + 16) bytes = 5 KiB of the stack.
constexpr std::size_t max_messages = 64;

// A full send buffer is EAGAIN. ENOBUFS means that the kernel is out of memory: poll() would report
// the socket as writable at once, so it is a failure.
SendResult result_of(int error) {
  return error == EAGAIN ? SendResult::would_block : SendResult::failed;
}

// The first call may return an earlier datagram's ICMP error. The second call returns its own.
template <typename Call>
auto retry_after_icmp(Call call) {
  auto result = call();
  if (result < 0 && is_earlier_error(errno)) result = call();
  return result;
}

// The kernel's errors for a source address that this host no longer has, or that no route allows.
// The caller then lets the kernel choose the source. The peer roams to it, which sets another
// Endpoint::local. Until then every send tries the old source first, because it may return.
bool is_unusable_source(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH || error == EHOSTUNREACH;
}

iovec iovec_of(ConstBytes bytes) {
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // sendmsg only reads
}

}  // namespace

SendResult UdpSocket::send(ConstBytes run, std::size_t segment_bytes, const Endpoint& to,
                           std::size_t& sent, std::uint8_t traffic_class) {
  bool from_local = !routed_source_ && to.local.has_value();
  sent = 0;
  while (sent < run.size()) {
    if (!header_->is_for(to, traffic_class, from_local)) {
      *header_ = MessageHeader(to, traffic_class, family_, from_local);
    }
    const ConstBytes rest = run.subspan(sent);
    const bool one = rest.size() <= segment_bytes;
    const SendResult result = segments_ && !one
                                  ? send_segmented(rest, segment_bytes, sent)
                                  : send_singly(rest, segment_bytes, max_messages, sent);
    if (result == SendResult::failed && from_local && may_change_source_ &&
        is_unusable_source(errno)) {
      from_local = false;  // and retry
    } else if (result != SendResult::ok) {
      return result;
    }
  }
  return SendResult::ok;
}

// Sends as much of the run as one call takes. If the call fails, the first datagram is sent alone:
// only if that succeeds was UDP_SEGMENT the cause.
SendResult UdpSocket::send_segmented(ConstBytes run, std::size_t segment_bytes, std::size_t& sent) {
  const std::size_t fitting = std::max<std::size_t>(max_datagram_bytes / segment_bytes, 1);
  const std::size_t count = std::min(max_segments_, fitting);
  const ConstBytes part = run.first(std::min(run.size(), count * segment_bytes));
  iovec data = iovec_of(part);
  const msghdr message =
      header_->segmented_message(data, static_cast<std::uint16_t>(segment_bytes));
  if (retry_after_icmp([&] { return sendmsg(fd(), &message, 0); }) >= 0) {
    sent += part.size();
    return SendResult::ok;
  }
  const int error = errno;
  if (error != EINVAL && error != EIO && error != EMSGSIZE) return result_of(error);
  const SendResult alone = send_singly(run, segment_bytes, 1, sent);
  if (alone != SendResult::ok || error == EMSGSIZE) return alone;
  if (error == EINVAL && part.size() > max_segments_before_6_9 * segment_bytes) {
    max_segments_ = max_segments_before_6_9;
  } else {
    segments_ = false;
  }
  return SendResult::ok;
}

// Sends at most `datagrams` datagrams of the run, without UDP_SEGMENT.
SendResult UdpSocket::send_singly(ConstBytes run, std::size_t segment_bytes, std::size_t datagrams,
                                  std::size_t& sent) const {
  std::array<iovec, max_messages> data;
  std::array<mmsghdr, max_messages> messages;
  unsigned count = 0;
  for (std::size_t at = 0; at < run.size() && count < datagrams; at += segment_bytes) {
    data[count] = iovec_of(run.subspan(at, std::min(segment_bytes, run.size() - at)));
    messages[count] = {header_->message(data[count]), 0};
    ++count;
  }
  const int went = retry_after_icmp([&] { return sendmmsg(fd(), messages.data(), count, 0); });
  if (went < 0) return result_of(errno);
  for (int i = 0; i < went; ++i) sent += data[static_cast<std::size_t>(i)].iov_len;
  return SendResult::ok;
}

SendResult UdpSocket::send_one(ConstBytes datagram, const Endpoint& to,
                               std::uint8_t traffic_class) const {
  const auto try_from = [&](bool local) {
    MessageHeader header(to, traffic_class, family_, local);
    iovec data = iovec_of(datagram);
    const msghdr message = header.message(data);
    const auto went = retry_after_icmp([&] { return sendmsg(fd(), &message, 0); });
    return went < 0 ? result_of(errno) : SendResult::ok;
  };
  const bool from_local = !routed_source_ && to.local.has_value();
  const SendResult result = try_from(from_local);
  if (result == SendResult::failed && from_local && is_unusable_source(errno))
    return try_from(false);
  return result;
}

}  // namespace routevpn::outside
