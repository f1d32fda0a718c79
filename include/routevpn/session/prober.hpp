// Echo requests: when the next one is due, and what the replies tell about the path. Pure.
//
// One request is sent every keepalive interval, under load too, because only a reply tells the
// round trip time. While the last request is unanswered, requests are four times as frequent: with
// 20 % loss each way one exchange fails in 36 of 100 cases. In the 3.5 s of dead-after there are
// then eleven exchanges (0.36^11 ~ 1e-5) instead of three (0.36^3 ~ 0.05).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "routevpn/base/clock.hpp"

namespace routevpn::session {

struct PathStatus {
  std::optional<Duration> last;  // round trips
  Duration min{};
  Duration smoothed{};  // RFC 6298 section 2: 7/8 old, 1/8 new
  Duration jitter{};    // RFC 3550 section 6.4.1: 15/16 old, 1/16 of the difference
  double loss = 0;      // of the last 100 exchanges, 0..1
  // By direction, up to the last reply: the direction of a later loss is known at the next reply.
  double loss_tx = 0;  // of our requests
  double loss_rx = 0;  // of the peer's replies
};

class Prober {
 public:
  Prober(Duration keepalive, Duration first_retry)
      : keepalive_(keepalive), first_retry_(first_retry) {}

  // A new association: resets sequence numbers and loss, and a request is due now.
  void begin(Time now);
  void end() { due_.reset(); }
  [[nodiscard]] std::optional<Time> due() const { return due_; }
  // The sequence number of the request to send now; the next is scheduled.
  std::uint32_t send(Time now);
  // `received`: how many requests the peer has received. False: the reply matches no request, or
  // came before.
  bool answered(std::uint32_t sequence, std::uint32_t received, Duration round_trip, Time now);
  // The peer has roamed: forgets the round trips of the old path.
  void reset_path();

  [[nodiscard]] PathStatus status(Time now) const;
  [[nodiscard]] Duration timeout() const;  // a request unanswered for longer is lost

 private:
  struct Exchange {
    std::uint32_t sequence;
    Time sent;
    bool answered;
    std::uint32_t received;  // by the peer, according to its reply
  };
  struct Mark {
    std::uint32_t sequence = 0;
    std::uint32_t received = 0;
  };
  void count_directions(PathStatus& status) const;

  static constexpr std::size_t remembered = 100;

  Duration keepalive_;
  Duration first_retry_;
  Duration retry_{};
  std::optional<Time> due_;
  std::uint32_t next_sequence_ = 1;
  std::deque<Exchange> exchanges_;
  Mark baseline_;  // the last answered exchange that is no longer in exchanges_
  PathStatus path_;
};

}  // namespace routevpn::session
