// What the control thread decides for one lane: the peer's addresses, associations and their
// renewal, probes, dead detection, and when the link is up. It makes no system call, reads no clock
// and has no thread: the process or a simulator drives it.
//
//     input:   start(), on_...(), stop()    an event and the time of it
//     output:  take_output()                what to do, in order; drain it after each input
//     time:    deadline(), on_timer()       the next time at which a timer is due
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/datapath/lane_counters.hpp"
#include "routevpn/session/association_table.hpp"
#include "routevpn/session/backoff.hpp"
#include "routevpn/session/detection.hpp"
#include "routevpn/session/failure.hpp"
#include "routevpn/session/flap_damper.hpp"
#include "routevpn/session/handshakes.hpp"
#include "routevpn/session/output.hpp"
#include "routevpn/session/path_follower.hpp"
#include "routevpn/session/prober.hpp"
#include "routevpn/session/restart_hint.hpp"
#include "routevpn/session/sparse_probes.hpp"
#include "routevpn/session/takeovers.hpp"

namespace routevpn::session {

struct SessionSettings {
  Role role;
  std::vector<options::PeerAddress> peers;  // an initiator's, tried in turn
  std::vector<IpPrefix> allowed;            // an acceptor's --allow
  Detection detection;
  Duration up_delay;
  Duration rekey;
  datapath::RecordLimits limits;
  std::optional<record::CryptoBackend> backend;  // none: the best for the cipher suite
  std::uint64_t seed;                            // of the jitter
  unsigned lane;                                 // counted from 0

  // Lane i uses the peer's port plus i.
  static SessionSettings of(const options::LinkOptions& options, unsigned lane, std::uint64_t seed);
};

// Why a link that works has no carrier.
struct DampingStatus {
  Time since;
  Time until;
  unsigned flaps;  // within FlapDamper::memory

  template <typename Io>
  friend void fields(Io& io, DampingStatus& damping) {
    io(damping.since, damping.until, damping.flaps);
  }
};

struct SessionStatus {
  Phase phase = Phase::idle;
  Reason reason{"starting", "starting"};
  std::optional<Failure> failure;  // since the link was up for the last time, the last one
  Time since{};
  std::optional<AssociationStatus> association;  // the one in use
  std::optional<SocketAddress> attempted;        // by the initiator, last
  std::optional<DampingStatus> damping;
  PathStatus path;
  std::optional<outside::Endpoint> sparse;  // the peer's end of the sparse flow; none: not in use
  std::uint64_t handshakes = 0;             // completed
  std::uint64_t rekeys = 0;
  std::string renewal_failure;  // of the last attempt to rekey; empty: none failed since the last
  std::uint64_t roams = 0;
  std::uint64_t takeovers = 0;      // to this end, or of an initiator from this end
  bool certificate_shared = false;  // with another gateway: Takeovers::memory
  std::uint64_t flaps = 0;          // times that the link went down after it was up
  std::uint64_t hints_given = 0;    // restart hints
  std::uint64_t hints_taken = 0;
  std::uint64_t unexpected_events = 0;

  // Without what Session::status() adds.
  template <typename Io>
  friend void fields(Io& io, SessionStatus& status) {
    io(status.phase, status.reason, status.failure, status.since, status.attempted, status.damping,
       status.sparse, status.handshakes, status.rekeys, status.renewal_failure, status.roams,
       status.flaps, status.hints_given, status.hints_taken, status.unexpected_events);
  }
};

class Session {
 public:
  // A plain peer may be silent for this time after its last flight before the acceptor sends first.
  static constexpr Duration activate_after = std::chrono::seconds(1);
  // Of an initiator whose peer's worker has died. The next worker starts in about 30 ms.
  static constexpr Duration retry_after_gasp = std::chrono::milliseconds(5);
  // Of an initiator that lost its link to another with the same certificate. Both stay up for this
  // time in turn, because each attempt takes the link from the other.
  static constexpr Duration retry_after_takeover = std::chrono::seconds(5);
  // The failure of an acceptor's last peer is shown for this time, whatever strangers do.
  static constexpr Duration failure_of_peer_stays = std::chrono::minutes(5);
  // An association ends after this multiple of --rekey, or with the peer's certificate.
  static constexpr int longest_life_rekeys = 2;

  // `lane`: the counters of the lane this session decides for. `drops`: the control thread's.
  Session(SessionSettings settings, std::shared_ptr<const dtls::Identity> identity,
          const datapath::LaneCounters& lane, DropCounters& drops);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Call before start() with the address that the peer had in an earlier process.
  void remember_peer(const IpAddress& address);
  void start(Time now);
  void stop(Time now);  // tells the peer
  // A session moves to another process: begin_hand_over() here, with all outputs taken, then
  // fields() in both, then resume() there in place of start(). False: a handshake without which the
  // session has no association is in progress, and the other process has to start() instead.
  // A rekey in progress begins again.
  bool begin_hand_over(Time now);
  void resume(Time now);
  // Ends associations whose peer this identity refuses. `renew`: the identity is new, so the others
  // are renewed.
  void recheck_peer(const dtls::Identity& identity, bool renew, Time now);
  void repeat_close_notify();
  void replace_identity(std::shared_ptr<const dtls::Identity> identity, Time now);

  // Certificates end by the wall clock. Call it before start(), before a handshake datagram, and
  // from time to time, because the wall clock may be set.
  void on_wall_clock(std::chrono::system_clock::time_point wall, Time now);
  void on_resolved(const std::vector<SocketAddress>& addresses, const std::string& error, Time now);
  void on_route(const SocketAddress& remote, const outside::RouteMtu& route, Time now);
  // A hint: an ICMP error, or this host could not send. While the link is down it tells why the
  // peer does not answer. While the link is up it causes a probe, if the peer's host has no such
  // port.
  void on_undelivered(const outside::Undelivered& report, Time now);
  void on_handshake(const datapath::HandshakeDatagram& datagram, Time now);
  void on_lane_event(const datapath::LaneEvent& event, Time now);
  void on_timer(Time now);

  [[nodiscard]] std::optional<Output> take_output(Time now);
  [[nodiscard]] std::optional<Time> deadline() const;
  [[nodiscard]] SessionStatus status(Time now) const;

  template <typename Io>
  friend void fields(Io& io, Session& session) {
    auto last_id = session.handshakes_.last_id();
    io(last_id, session.status_, session.associations_, session.path_, session.prober_,
       session.sparse_probes_, session.restart_check_, session.damper_, session.takeovers_,
       session.carrier_, session.gasp_is_kept_, session.peer_address_, session.next_peer_,
       session.candidates_, session.stable_at_, session.retry_at_, session.rekey_at_);
    session.handshakes_.continue_above(last_id);
  }

 private:
  struct Timer {
    std::optional<Time> (*due)(const Session&);
    void (*fire)(Session&, Time now);
  };
  static const std::vector<Timer> timers;  // all of them, in the order in which they fire

  void apply(Event event, Reason reason, Time now);
  void enter(Phase phase, Reason reason, Time now);
  void act(Action action, Time now);
  void set_carrier(bool on);
  void begin_attempt(Time now);
  void begin_rekey(Time now);
  void request_rekey(Time now);
  void hold_carrier(Time now);
  void end_damping(Time now);
  void command(datapath::LaneCommand command) { outputs_.emplace_back(std::move(command)); }

  void establish(const HandshakeCompleted& completed, Time now);
  void handshake_failed(HandshakeFailed failed, Time now);
  void remember_failure(Reason reason, const std::optional<SocketAddress>& peer, Time now);
  void explain_last_failure(const outside::Undelivered& report);
  [[nodiscard]] Reason meanwhile(const Reason& reason) const;
  void confirm(datapath::AssociationId id, Time now);
  void confirmed(Time now);
  void activate_silent(Time now);
  void retire(Time now);
  using FaultOf = std::function<std::optional<Reason>(const AssociationTable::Entry&)>;
  void end_faulty(Event event, const FaultOf& fault_of, Time now);
  void end_refused(const dtls::Identity& identity, Time now);
  void end_overdue(Time now);
  [[nodiscard]] Time end_of(const AssociationStatus& association) const;
  [[nodiscard]] std::optional<Time> renewal_due(const AssociationTable::Entry& entry,
                                                Time now) const;
  [[nodiscard]] std::string with_renewal_failure(std::string text) const;
  void drop_associations();
  void keep_peer_address();
  void take_over(const AssociationTable::Entry& from, const AssociationTable::Entry& to, Time now);
  void lose_to_another(const AssociationTable::Entry& entry, Time now);
  void keep_gasp();
  [[nodiscard]] bool concerns_live(datapath::AssociationId id);

  void echo_replied(const datapath::EchoReplied& echo, Time now);
  void peer_roamed(datapath::AssociationId id, const outside::Endpoint& to);
  void sparse_changed(const std::optional<outside::Endpoint>& to, Time now);
  void alert_received(datapath::AssociationId id, const datapath::AlertReceived& alert, Time now);
  void limit_reached(Time now);
  void follow_restart_hint(const SocketAddress& from, Time now);
  void end_restart_check(Time now);
  void send_probe(Time now);
  bool is_spared(Time now);
  [[nodiscard]] std::optional<Time> silence_at() const;
  [[nodiscard]] Time last_heard() const { return lane_.last_heard.load(std::memory_order_relaxed); }

  SessionSettings settings_;
  const datapath::LaneCounters& lane_;
  DropCounters& drops_;
  Outputs outputs_;
  Handshakes handshakes_;
  AssociationTable associations_;
  PathFollower path_;
  Prober prober_;
  SparseProbes sparse_probes_;
  RestartCheck restart_check_;
  Backoff backoff_;
  FlapDamper damper_;
  Takeovers takeovers_;

  SessionStatus status_;
  bool carrier_ = false;
  bool confirms_on_route_ = false;  // the association is confirmed when its path's MTU is known
  bool gasp_is_kept_ = false;
  std::optional<IpAddress> peer_address_;  // an acceptor's last confirmed peer
  std::size_t next_peer_ = 0;
  std::deque<SocketAddress> candidates_;          // of the peer resolved last, not tried yet
  std::optional<outside::Undelivered> obstacle_;  // the last report about the attempt in progress
  std::optional<outside::Undelivered> late_obstacle_;  // came after the last attempt
  Duration wall_offset_{};                             // wall clock minus Time
  std::optional<Time> stable_at_;
  std::optional<Time> retry_at_;
  std::optional<Time> rekey_at_;
};

}  // namespace routevpn::session
