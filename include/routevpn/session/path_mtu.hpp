// Finds the path's MTU: packetization layer path MTU discovery for datagrams (RFC 8899). Pure.
//
// clang-format off
//     begin() --> searching --------> complete --check(), too_big()--> checking
//                   ^  ^                | ^                              |  |
//                   |  +-search_again()-+ +---------- it passes ---------+  |
//                   +--------------- it does not pass: a black hole --------+
// clang-format on
//
// Sizes are bytes of whole outer IP packets. `least` is assumed to pass: IPv6 guarantees 1280 (RFC
// 8200 section 5), and an IPv4 path below 576 (RFC 791) is not supported. So RFC 8899's base and
// error states, which search below that, are not needed.
//
// A try is two echo requests: one padded to the size in question, and a small one. If ICMP reported
// a size, a third request is padded to that. A try fails when the small request is answered and the
// large one is not: a path that carries nothing tells nothing about sizes. A size fails after three
// failed tries. It takes more tries where the loss rate makes three failures likely by chance, and
// one fewer where ICMP confirms them.
//
// Black holes: while large packets are sent, the session has the size checked four times in a
// keepalive interval, and after the first failed try the lane falls back to a size that passes. At
// the defaults and a round trip below 50 ms that is at most 250 + 100 ms after the change (for the
// first large packet after a pause 1000 + 100 ms). 200 ms later the size has failed. With ICMP the
// lane falls back at once, and the tries only confirm it. The cost is four datagrams of the path's
// size per second in a direction with large packets, and one in ten seconds in others (150
// bytes/s).
//
// RFC 8899 section 5.1.1 requires a probe timer of at least a second only where the round trip time
// is unknown. Here the prober measures it.
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
  static constexpr Duration least_timeout = std::chrono::milliseconds(100);
  static constexpr Duration most_timeout = std::chrono::seconds(1);
  static constexpr unsigned max_probes = 3;  // at little loss
  // After an ICMP message that the tries disproved, others are ignored for this time.
  static constexpr Duration icmp_ignore_time = std::chrono::seconds(1);

  struct Range {
    unsigned least = 0;
    unsigned most = 0;  // the MTU of our own interface
  };
  struct Probe {
    std::uint32_t sequence = 0;
    unsigned mtu = 0;  // pad to this; 0: do not pad
  };

  // A new path. `guess` is tried first, and is found() until the search has a result.
  void begin(Range range, unsigned guess, Time now);
  // The peer answers no echo requests: only ICMP and the route count.
  void begin_unprobed(Range range, unsigned guess, Time now);
  void end();
  [[nodiscard]] bool active() const { return state_ != State::off; }

  // Searches for more than was found, up to `most`.
  void search_again(unsigned most, Time now);
  // Large packets were sent: checks whether the size still passes.
  void check(Time now);
  // An ICMP message reports a smaller MTU on the path. It is not authenticated.
  void too_big(unsigned mtu, Time now);
  // Our own interface refused a larger datagram.
  void refused(unsigned most, Time now);
  // False: the reply matches no recent request.
  bool answered(std::uint32_t sequence, Time now);
  // What the prober measured: the round trip time (none before the first reply), and loss, 0..1.
  void set_path(std::optional<Duration> round_trip, double loss);

  // When to call send() or, after raise_interval, search_again().
  [[nodiscard]] std::optional<Time> due() const;
  [[nodiscard]] bool raise_due(Time now) const;
  // The requests to send now; schedules the next. Valid until the next call. Sequence numbers are
  // below 2^31.
  std::span<const Probe> send(Time now);

  // The size up to which datagrams pass for certain.
  [[nodiscard]] unsigned in_use() const;
  // The result of the last search. It changes rarely; the interface's MTU follows it.
  [[nodiscard]] unsigned found() const { return found_; }

  // For another process, see base/fields.hpp.
  template <typename Io>
  friend void fields(Io& io, PathMtu& path) {
    io(path.state_, path.range_.least, path.range_.most, path.largest_passed_,
       path.smallest_failed_, path.found_, path.guess_, path.hint_, path.fallback_,
       path.icmp_ignored_until_, path.raise_at_, path.asked_, path.failed_tries_,
       path.small_answered_, path.silent_tries_, path.try_ends_, path.due_, path.next_sequence_,
       path.tries_);
  }

 private:
  enum class State : std::uint8_t { off, unprobed, searching, complete, checking };
  struct Try {
    std::uint32_t sequence = 0;  // of the large request; the others follow
    unsigned mtu = 0;
    unsigned hint = 0;  // size of the third, 0: none

    template <typename Io>
    friend void fields(Io& io, Try& one) {
      io(one.sequence, one.mtu, one.hint);
    }
  };

  void verify(Time now);  // checks the size in use
  void next(Time now);
  void complete(Time now);
  [[nodiscard]] unsigned candidate();
  void ask(unsigned mtu, State state, Time now);
  void passed(unsigned mtu, Time now);
  void failed(Time now);
  [[nodiscard]] unsigned tries_to_fail() const;
  [[nodiscard]] Duration timeout() const;

  State state_ = State::off;
  Range range_;
  unsigned largest_passed_ = 0;   // the largest size known to pass
  unsigned smallest_failed_ = 0;  // the smallest size known not to
  unsigned found_ = 0;
  std::optional<unsigned> guess_;
  std::optional<unsigned> hint_;  // ICMP's, while it is being verified
  unsigned fallback_ = 0;         // passes for certain while largest_passed_ is being checked
  std::optional<Time> icmp_ignored_until_;
  Time raise_at_{};

  unsigned asked_ = 0;  // the size in question
  unsigned failed_tries_ = 0;
  bool small_answered_ = false;  // the small request of the last try
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
