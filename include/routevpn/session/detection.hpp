// How a dead peer is detected, and how fast.
//
// An echo request is sent in each keepalive interval; an acceptor lets the initiator do that
// (Prober::is_spared_by()). When one has no answer after the answer time (Prober::answer_time():
// the smoothed round trip plus 4 times the jitter), or does not come in time, a burst of requests
// begins. The peer is dead when no request of the burst has an answer and nothing else was heard.
// From a silent cut to that moment pass at most
//
//     keepalive + burst x interval + 2 x answer time
//
// At 20 % loss in each direction 36 % of the exchanges fail. In 10 minutes that gives this number
// of false alarms, (600 s / keepalive) x 0.36^(1 + burst), not counting that the peer's own
// requests are heard, too:
//
//                keepalive   burst        detection, idle path   false alarms
//     fast          100 ms   15 x 15 ms                 345 ms         4.8e-4
//     normal        250 ms   14 x 40 ms                 830 ms         5.3e-4
//     patient      1000 ms   13 x 170 ms               3230 ms         3.7e-4
//
// A loss of all packets for shorter than burst x interval is no false alarm either. A burst that
// was interrupted, because this process did not run for longer than an interval, is repeated.
#pragma once

#include "routevpn/base/clock.hpp"
#include "routevpn/options/link_options.hpp"

namespace routevpn::session {

struct Detection {
  Duration keepalive{};
  Duration interval{};  // of the requests of a burst
  unsigned burst = 0;   // requests; 0: only silence for dead_after counts
  // Silence after which the peer is dead, also in an association that was never confirmed.
  Duration dead_after{};
  // Between two checks of the path MTU (PathFollower).
  Duration path_check{};

  // --keepalive and --dead-after, or else --detection.
  static Detection of(const options::LinkOptions& options);
  static Detection by_hand(Duration keepalive, Duration dead_after);
};

}  // namespace routevpn::session
