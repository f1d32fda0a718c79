#include "impair/relay.hpp"

#include <algorithm>

#include <poll.h>

namespace routevpn::test {

namespace {

// A full send buffer loses nothing: the sender waits up to this long.
constexpr int max_wait_ms = 1000;

bool writable(const outside::UdpSocket& socket) {
  pollfd waiting{socket.fd(), POLLOUT, 0};
  return poll(&waiting, 1, max_wait_ms) > 0;
}

}  // namespace

void Relay::take(const outside::Received& received, const Egress& egress, Time now) {
  auto rest = received.data;
  do {  // once for an empty datagram
    const auto datagram = rest.first(std::min(received.segment_bytes, rest.size()));
    rest = rest.subspan(datagram.size());
    const auto fate = schedule_.decide(datagram.size(), now);
    for (std::size_t i = 0; i < fate.count; ++i) {
      const auto& copy = fate.copies[i];  // an intact copy is before a damaged one
      if (copy.flip != 0) datagram[copy.flip_at] ^= copy.flip;
      const auto left = datagram.first(copy.bytes);
      if (copy.due <= now && under_way_.next() > now) {
        put(left, received.ecn, egress);
      } else {
        under_way_.add(copy.due, {{left.begin(), left.end()}, received.ecn, egress});
      }
    }
  } while (!rest.empty());
}

void Relay::release(Time now) {
  while (under_way_.next() <= now) {
    const auto parcel = under_way_.take();
    put(parcel.data, parcel.ecn, parcel.egress);
  }
  flush();
}

void Relay::put(ConstBytes datagram, std::uint8_t ecn, const Egress& egress) {
  const bool closed = run_.size() % std::max<std::size_t>(segment_bytes_, 1) != 0;
  if (!run_.empty() &&
      (closed || datagram.size() > segment_bytes_ || datagram.empty() || ecn != run_ecn_ ||
       egress != run_egress_ || run_.size() + datagram.size() > outside::max_datagram_bytes)) {
    flush();
  }
  if (datagram.empty()) {
    if (egress.socket->send_one(datagram, egress.to, ecn) != outside::SendResult::ok) ++refused_;
    return;
  }
  if (run_.empty()) {
    segment_bytes_ = datagram.size();
    run_ecn_ = ecn;
    run_egress_ = egress;
  }
  run_.insert(run_.end(), datagram.begin(), datagram.end());
}

void Relay::flush() {
  for (ConstBytes rest = run_; !rest.empty();) {
    std::size_t sent = 0;
    const auto result =
        run_egress_.socket->send(rest, segment_bytes_, run_egress_.to, sent, run_ecn_);
    rest = rest.subspan(sent);
    if (result == outside::SendResult::ok) continue;
    if (result == outside::SendResult::would_block && writable(*run_egress_.socket)) continue;
    rest = rest.subspan(std::min(segment_bytes_, rest.size()));
    ++refused_;
  }
  run_.clear();
}

}  // namespace routevpn::test
