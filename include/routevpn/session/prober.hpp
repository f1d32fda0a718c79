// Echo requests: when the next is due, and what the answers tell of the path. Pure.
//
// One is sent every keepalive interval, under load too, for only an answer tells the round trip.
// While the last one is unanswered they come four times as fast: with 20 % loss each way a single
// exchange fails in 36 of 100 cases, and dead-after's 3.5 s then hold eleven tries (0.36^11 ~ 1e-5)
// instead of three (0.05).
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
  // The two ways that went by, up to the last answer: which of them a later loss was on is not
  // known before the next.
  double loss_tx = 0;  // of our requests
  double loss_rx = 0;  // of the peer's replies
};

class Prober {
 public:
  Prober(Duration keepalive, Duration first_retry)
      : keepalive_(keepalive), first_retry_(first_retry) {}

  // A new association, or a peer that moved: sequence numbers and loss start anew; a probe is due
  // now.
  void begin(Time now);
  void end() { due_.reset(); }
  [[nodiscard]] std::optional<Time> due() const { return due_; }
  // The sequence number of the request to send now; the next is scheduled.
  std::uint32_t send(Time now);
  // `received`: how many requests the peer has had. False for an answer that was not asked for or
  // has come before.
  bool answered(std::uint32_t sequence, std::uint32_t received, Duration round_trip, Time now);
  // A round trip of another path says nothing of this one.
  void forget_path();

  [[nodiscard]] PathStatus status(Time now) const;
  [[nodiscard]] Duration patience() const;  // unanswered for longer counts as lost

 private:
  struct Exchange {
    std::uint32_t sequence;
    Time sent;
    bool answered;
    std::uint32_t received;  // by the peer, as its answer says
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
  Mark forgotten_;  // the last answered exchange before those remembered
  PathStatus path_;
};

}  // namespace routevpn::session
