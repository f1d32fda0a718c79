#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

#include <sys/socket.h>
#include <sys/uio.h>

#include "routevpn/outside/udp.hpp"

#include "envelope.hpp"
#include "passing_error.hpp"

namespace routevpn::outside {

namespace {

// UDP_MAX_SEGMENTS of Linux before 6.9.
constexpr std::size_t max_segments_before_6_9 = 64;

// Datagrams of one sendmmsg: what its headers may take of the stack, 5 KiB.
constexpr std::size_t max_messages = 64;

// ENOBUFS is a refusal: the kernel is out of memory, and poll() would call the socket writable at
// once. A full send buffer is EAGAIN.
SendResult result_of(int error) {
  return error == EAGAIN ? SendResult::would_block : SendResult::failed;
}

// The first call may report an earlier datagram's ICMP error; the second reports its own.
template <typename Call>
auto past_icmp(Call call) {
  auto result = call();
  if (result < 0 && is_passing(errno)) result = call();
  return result;
}

// What the kernel says to a source address that is not ours any more, or that no route may leave
// from. The peer follows to the address that its datagrams then come from, and so names us another:
// until it has, each send may try the old one first, for it may also be back.
bool is_gone_source(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH || error == EHOSTUNREACH;
}

iovec piece(ConstBytes bytes) {
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // sendmsg only reads
}

}  // namespace

SendResult UdpSocket::send(ConstBytes run, std::size_t segment_bytes, const Endpoint& to,
                           std::size_t& sent, std::uint8_t traffic_class) {
  bool from_local = !routed_source_ && to.local.has_value();
  sent = 0;
  while (sent < run.size()) {
    if (!envelope_->is_for(to, traffic_class, from_local)) {
      *envelope_ = Envelope(to, traffic_class, family_, from_local);
    }
    const ConstBytes rest = run.subspan(sent);
    const bool one = rest.size() <= segment_bytes;
    const SendResult result = segments_ && !one
                                  ? send_segmented(rest, segment_bytes, sent)
                                  : send_singly(rest, segment_bytes, max_messages, sent);
    if (result == SendResult::failed && from_local && is_gone_source(errno)) {
      from_local = false;  // and once more
    } else if (result != SendResult::ok) {
      return result;
    }
  }
  return SendResult::ok;
}

// As much of the run as one call takes. When it is refused, the first datagram goes alone: only if
// that is not refused too was it the segmentation that the kernel or the device did not like.
SendResult UdpSocket::send_segmented(ConstBytes run, std::size_t segment_bytes, std::size_t& sent) {
  const std::size_t fitting = std::max<std::size_t>(max_datagram_bytes / segment_bytes, 1);
  const std::size_t count = std::min(segments_at_most_, fitting);
  const ConstBytes part = run.first(std::min(run.size(), count * segment_bytes));
  iovec data = piece(part);
  const msghdr message =
      envelope_->segmented_message(data, static_cast<std::uint16_t>(segment_bytes));
  if (past_icmp([&] { return sendmsg(fd(), &message, 0); }) >= 0) {
    sent += part.size();
    return SendResult::ok;
  }
  const int error = errno;
  if (error != EINVAL && error != EIO && error != EMSGSIZE) return result_of(error);
  const SendResult alone = send_singly(run, segment_bytes, 1, sent);
  if (alone != SendResult::ok || error == EMSGSIZE) return alone;
  if (error == EINVAL && part.size() > max_segments_before_6_9 * segment_bytes) {
    segments_at_most_ = max_segments_before_6_9;
  } else {
    segments_ = false;
  }
  return SendResult::ok;
}

// At most so many datagrams of the run, without UDP_SEGMENT.
SendResult UdpSocket::send_singly(ConstBytes run, std::size_t segment_bytes, std::size_t datagrams,
                                  std::size_t& sent) const {
  std::array<iovec, max_messages> data;
  std::array<mmsghdr, max_messages> messages;
  unsigned count = 0;
  for (std::size_t at = 0; at < run.size() && count < datagrams; at += segment_bytes) {
    data[count] = piece(run.subspan(at, std::min(segment_bytes, run.size() - at)));
    messages[count] = {envelope_->message(data[count]), 0};
    ++count;
  }
  const int went = past_icmp([&] { return sendmmsg(fd(), messages.data(), count, 0); });
  if (went < 0) return result_of(errno);
  for (int i = 0; i < went; ++i) sent += data[static_cast<std::size_t>(i)].iov_len;
  return SendResult::ok;
}

SendResult UdpSocket::send_one(ConstBytes datagram, const Endpoint& to,
                               std::uint8_t traffic_class) const {
  const auto try_from = [&](bool local) {
    Envelope envelope(to, traffic_class, family_, local);
    iovec data = piece(datagram);
    const msghdr message = envelope.message(data);
    const auto went = past_icmp([&] { return sendmsg(fd(), &message, 0); });
    return went < 0 ? result_of(errno) : SendResult::ok;
  };
  const bool from_local = !routed_source_ && to.local.has_value();
  const SendResult result = try_from(from_local);
  if (result == SendResult::failed && from_local && is_gone_source(errno)) return try_from(false);
  return result;
}

}  // namespace routevpn::outside
