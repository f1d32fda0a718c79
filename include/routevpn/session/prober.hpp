// Echo requests: when the next one is due, and what the replies tell about the path. Pure.
//
// One request is sent every keepalive interval, under load too, because only a reply tells the
// round trip time. When one has no answer in time, a burst of requests follows (detection.hpp).
//
// The lane sends most of them: a series of requests, for about a second, as long as each is
// answered in time (datapath/keepalives.hpp). So the control thread wakes once per series.
//
// The end that is asked need not ask as often: the peer's next request tells as much as a reply.
// While requests come at its own interval it sends one per second, for the round trip and the loss.
// When one does not come in time, its burst begins. The lane watches the time of the requests.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "routevpn/base/clock.hpp"
#include "routevpn/session/detection.hpp"

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
  // `first_retry`: after the first request of a path whose round trip is not known yet.
  Prober(const Detection& detection, Duration first_retry)
      : detection_(detection), first_retry_(first_retry) {}

  // A new association: resets sequence numbers and loss, and a request is due now.
  void begin(Time now);
  void end();
  [[nodiscard]] std::optional<Time> due() const { return due_; }
  // At due(): whether a record that was heard since the last request makes another one needless
  // until the next keepalive.
  bool is_answered_by(Time heard, Time now);
  // At due(): whether the peer's request that came at `asked` replaces the one that is due. Then
  // due() is later, and only request_missing() tells that the next one is late. Only one end may
  // use it: two ends that wait for each other would both be late. Always false without a burst,
  // because --keepalive sets the interval of both ends.
  bool is_spared_by(Time asked, Time heard, Time now);
  // The peer's requests come within this time of each other. 0: they are not expected.
  [[nodiscard]] Duration asked_within() const;
  void request_missing(Time now);
  // There is a hint that the peer is dead: a request is due now, and its burst begins if it is not
  // answered. No effect while one is not answered, and without a burst.
  void suspect(Time now);
  // The sequence number of the request to send now; the next is scheduled.
  std::uint32_t send(Time now);
  // Leaves requests to the lane that follow the one just sent, each after a keepalive. Returns
  // their number; 0: the prober has to know of the reply first.
  std::uint32_t begin_series();
  // A request of the series has no reply in time. The series has ended.
  void unanswered(std::uint32_t sequence, Time sent, Time now);
  // The lane ends its series.
  void end_series();
  // `received`: how many requests the peer has received. `sent`: by the lane, in a series. False:
  // the reply matches no request, or came before.
  bool answered(std::uint32_t sequence, std::uint32_t received, Duration round_trip, Time now,
                std::optional<Time> sent = std::nullopt);
  // When a burst without an answer ends, if nothing was heard since it began. None: there is none.
  [[nodiscard]] std::optional<Time> gives_up_at(Time heard) const;
  // At gives_up_at(): false if that was noticed late, so that the burst is repeated.
  bool gives_up(Time now);
  // The peer has roamed: forgets the round trips of the old path.
  void reset_path();

  [[nodiscard]] PathStatus status(Time now) const;
  [[nodiscard]] Duration timeout() const;  // a request unanswered for longer is lost
  // An answer that takes longer makes the peer suspicious. Without a round trip: 1 s, as RFC 6298
  // section 2 assumes.
  [[nodiscard]] Duration answer_time() const;

  // For another process, see base/fields.hpp.
  template <typename Io>
  friend void fields(Io& io, Prober& prober) {
    PathStatus& path = prober.path_;
    io(prober.retry_, prober.due_, prober.unanswered_since_, prober.burst_, prober.gives_up_at_,
       prober.next_sequence_, prober.exchanges_, prober.baseline_.unanswered,
       prober.baseline_.received, path.last, path.min, path.smoothed, path.jitter);
  }

 private:
  struct Exchange {
    std::uint32_t sequence = 0;
    Time sent{};
    bool answered = false;
    std::uint32_t received = 0;  // by the peer, according to its reply

    template <typename Io>
    friend void fields(Io& io, Exchange& one) {
      io(one.sequence, one.sent, one.answered, one.received);
    }
  };
  struct Mark {
    std::uint32_t unanswered = 0;  // requests since, that are no longer in exchanges_
    std::uint32_t received = 0;
  };
  void count_directions(PathStatus& status) const;
  [[nodiscard]] bool is_suspicious(Time now) const;
  [[nodiscard]] bool is_late(Time due, Time now) const;
  void heard(Time next_keepalive);
  void remember(std::uint32_t sequence, Time sent);

  static constexpr std::size_t remembered = 100;
  static constexpr Duration spared_interval = std::chrono::seconds(1);
  static constexpr std::uint32_t most_in_series = 16;

  Detection detection_;
  Duration first_retry_;
  Duration retry_{};
  std::optional<Time> due_;
  std::optional<Time> unanswered_since_;  // the first request after the last sign of life
  bool suspected_ = false;                // by a hint
  unsigned burst_ = 0;                    // requests sent while suspicious
  std::optional<Time> gives_up_at_;
  std::uint32_t next_sequence_ = 1;
  std::optional<std::uint32_t> series_end_;  // the lane's last sequence number
  bool asked_late_ = false;                  // request_missing()
  std::deque<Exchange> exchanges_;
  Mark baseline_;  // the last answered exchange that is no longer in exchanges_
  PathStatus path_;
};

}  // namespace routevpn::session
