// What the path carries: packetization layer path MTU discovery for datagrams, RFC 8899. Pure.
//
//     begin() --> searching --------> complete --check(), too_big()--> checking
//                   ^  ^                | ^                              |  |
//                   |  +--look_again()--+ +---------- it passes ---------+  |
//                   +---------------- it does not pass: a black hole -------+
//
// Sizes are those of whole IP packets outside, in bytes. `least` is taken for granted: IPv6
// promises 1280 (RFC 8200 section 5), and below 576 no IPv4 path is worth a link; so RFC 8899's
// base and error states, which would look for less, have nothing to do here.
//
// A try is two echo requests: one padded to the size in question, and a small one beside it; and a
// third of the size that ICMP has told, if it did. Only when the small one comes back and the large
// one does not has the try failed: a path that carries nothing says nothing of sizes. A size fails
// after three such tries, more where so much is lost anyway that three would come by chance, one
// less where ICMP bears them out.
//
// How long a black hole lasts. While large packets are sent the session has the size checked four
// times in a keepalive interval; the first try that fails makes the sender go down to what passes
// for certain. At the defaults and a round trip below 50 ms that is 250 + 100 ms after the change
// at most (the first large packet after a pause may wait for the prober: 1000 + 100 ms); 200 ms
// later the size has failed for good. With ICMP the sender goes down at once, and the tries only
// confirm it. It costs four datagrams of the path's size a second in a direction with large
// packets; in one without, one in ten seconds: 150 bytes/s.
//
// RFC 8899 section 5.1.1 wants the probe timer to be a second or more where nothing is known of the
// round trip. The prober knows it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "routevpn/base/clock.hpp"

namespace routevpn::session {

class PathMtu {
 public:
  static constexpr Duration raise_interval = std::chrono::minutes(10);  // PMTU_RAISE_TIMER
  static constexpr Duration least_patience = std::chrono::milliseconds(100);
  static constexpr Duration most_patience = std::chrono::seconds(1);
  static constexpr unsigned max_probes = 3;  // at little loss
  // After an ICMP message that proved untrue, others are not looked at for this long.
  static constexpr Duration distrust = std::chrono::seconds(1);

  struct Range {
    unsigned least = 0;
    unsigned most = 0;  // what our own interface sends
  };
  struct Probe {
    std::uint32_t sequence = 0;
    unsigned mtu = 0;  // pad to this; 0: do not pad
  };

  // A path of which nothing is known; `guess` is tried first, and is found() until more is known.
  void begin(Range range, unsigned guess, Time now);
  // With a peer that answers no echo requests: ICMP is all there is to believe.
  void begin_unprobed(Range range, unsigned guess, Time now);
  void end();
  [[nodiscard]] bool active() const { return state_ != State::off; }

  // The path may carry more than was found.
  void look_again(unsigned most, Time now);
  // Large packets were sent: does the size still pass?
  void check(Time now);
  // ICMP says that a datagram was too big for an MTU ahead. Anyone may have sent that.
  void too_big(unsigned mtu, Time now);
  // Our own interface says it.
  void refused(unsigned most, Time now);
  // False for an answer to nothing that was asked lately.
  bool answered(std::uint32_t sequence, Time now);
  // Of the echo requests the prober sends: round trip, none before the first, and loss, 0..1.
  void know_path(std::optional<Duration> round_trip, double loss);

  // When send() or, after raise_interval, look_again() is to be called.
  [[nodiscard]] std::optional<Time> due() const;
  [[nodiscard]] bool raise_due(Time now) const;
  // What to send now; the next is scheduled. Good until the next call. Sequence numbers are below
  // 2^31.
  std::span<const Probe> send(Time now);

  // What a datagram may have now and be sure to pass.
  [[nodiscard]] unsigned in_use() const;
  // What the last search ended with. It changes rarely; the interface follows it.
  [[nodiscard]] unsigned found() const { return found_; }

 private:
  enum class State : std::uint8_t { off, unprobed, searching, complete, checking };
  struct Try {
    std::uint32_t sequence = 0;  // of the large one; the others' are one and two more
    unsigned mtu = 0;
    unsigned hint = 0;  // size of the third, 0: none
  };

  void doubt(Time now);  // whether what passed still does
  void next(Time now);
  void complete(Time now);
  [[nodiscard]] unsigned candidate();
  void ask(unsigned mtu, State state, Time now);
  void passed(unsigned mtu, Time now);
  void failed(Time now);
  [[nodiscard]] unsigned enough_tries() const;
  [[nodiscard]] Duration patience() const;

  State state_ = State::off;
  Range range_;
  unsigned passes_ = 0;  // the largest that is known to pass
  unsigned fails_ = 0;   // the smallest that is known not to
  unsigned found_ = 0;
  std::optional<unsigned> guess_;
  std::optional<unsigned> hint_;  // ICMP's, while it is being looked into
  unsigned passes_beside_ = 0;    // what is known to pass while passes_ is in doubt
  std::optional<Time> distrusted_until_;
  Time raise_at_{};

  unsigned asked_ = 0;  // the size in question
  unsigned failed_tries_ = 0;
  bool heard_ = false;  // the small one of the last try
  unsigned silent_tries_ = 0;
  std::optional<Time> try_ends_;
  std::optional<Time> due_;
  std::uint32_t next_sequence_ = 0;
  std::array<Try, 8> tries_{};  // the last ones, by sequence
  std::array<Probe, 3> probes_{};
  std::optional<Duration> round_trip_;
  double loss_ = 0;
};

}  // namespace routevpn::session
