// What the control thread knows and decides of one lane: resolves, makes and renews associations,
// probes, watches for silence, and says when the link is up. No system call, no thread, no clock
// but the time it is told: the process drives it, or a simulator.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"
#include "routevpn/datapath/mailbox.hpp"
#include "routevpn/session/backoff.hpp"
#include "routevpn/session/flap_damper.hpp"
#include "routevpn/session/handshakes.hpp"
#include "routevpn/session/path_mtu.hpp"
#include "routevpn/session/prober.hpp"
#include "routevpn/session/state.hpp"

namespace routevpn::session {

struct PeerName {
  std::string host;
  std::uint16_t port = 0;
};

struct SessionSettings {
  Role role = Role::initiator;
  std::vector<PeerName> peers;    // an initiator's, tried in turn
  std::vector<IpPrefix> allowed;  // an acceptor's --allow
  Duration keepalive = std::chrono::milliseconds(1000);
  Duration dead_after = std::chrono::milliseconds(3500);
  Duration up_delay{};
  Duration rekey = std::chrono::seconds(3600);
  datapath::RecordLimits limits;
  std::optional<record::CryptoBackend> backend;  // none: the best for the suite
  std::uint64_t seed = 0;                        // of the jitter
};

// Why the link is as it is: a fixed word for machines and a line for people.
struct Reason {
  std::string word;  // starting, connected, silence, peer_closed, ...
  std::string text;
};

// What a session makes happen. command() reaches the lane before anything sent after it does.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual void send_handshake(ConstBytes datagram, const outside::Endpoint& to) = 0;
  virtual void command(datapath::LaneCommand command) = 0;
  virtual void resolve(const PeerName& peer) = 0;  // answered by Session::on_resolved
  virtual void set_carrier(bool on) = 0;
  virtual void state_changed(Phase phase, const Reason& reason) = 0;
  virtual void handshake_failed(const SocketAddress& peer,
                                const dtls::HandshakeFailure& failure) = 0;
  [[nodiscard]] virtual Time last_heard() const = 0;  // by the lane
  // What the system knows of the way there. In bytes, with IP header.
  [[nodiscard]] virtual outside::RouteMtu route_mtu(const SocketAddress& remote) const = 0;
  [[nodiscard]] virtual std::uint64_t large_datagrams() const = 0;  // sent by the lane
  // Before the carrier goes on and whenever it changes: what the path carries, and what of it is
  // left for a packet inside.
  virtual void path_mtu_changed(unsigned path_mtu, unsigned payload_bytes) = 0;
};

// The association in use, for `show`.
struct AssociationStatus {
  dtls::CertificateInfo peer;
  std::string cipher;
  record::CipherSuite suite = record::CipherSuite::aes_128_gcm;
  record::CryptoBackend backend = record::CryptoBackend::openssl;
  bool control_messages = false;
  outside::Endpoint endpoint;
  Time established{};
};

// Why a link that works has no carrier.
struct DampingStatus {
  Time since;
  Time until;
  unsigned flaps;  // that are not forgotten
};

struct SessionStatus {
  Phase phase = Phase::idle;
  Reason reason;
  Time since{};
  std::optional<AssociationStatus> association;
  std::optional<SocketAddress> attempted;  // by the initiator, last
  std::optional<DampingStatus> damping;
  PathStatus path;
  std::uint64_t handshakes = 0;  // completed
  std::uint64_t renewals = 0;
  std::string renewal_failure;  // of the last attempt; empty when there was none since the last one
  std::uint64_t moves = 0;
  std::uint64_t flaps = 0;        // times it went down after having been up
  std::uint64_t hints_given = 0;  // restart_hint.hpp
  std::uint64_t hints_taken = 0;
  std::uint64_t unexpected_events = 0;
};

class Session : private HandshakeOwner {
 public:
  // Old keys stay for records that were under way while keys changed, RFC 6347 section 4.1.
  static constexpr Duration straggler_time = std::chrono::seconds(10);
  // How long a plain peer may keep silent, after its last repeated flight, before we speak first.
  static constexpr Duration silent_peer_time = std::chrono::seconds(1);
  // A peer said to have forgotten us has this long to show that it has not, or two round trips.
  static constexpr Duration least_doubt = std::chrono::milliseconds(20);
  // The path's MTU is checked so often while it matters; else in every tenth keepalive interval, so
  // that the first large packet after hours finds an interface that knows.
  static constexpr unsigned checks_per_keepalive = 4;
  static constexpr unsigned idle_check = 10;

  Session(SessionSettings settings, std::shared_ptr<const dtls::Identity> identity,
          Surroundings& surroundings, DropCounters& drops);

  void start(Time now);
  void stop(Time now);  // tells the peer; tell_again() repeats it while it may still hear us
  void tell_again();
  void replace_identity(std::shared_ptr<const dtls::Identity> identity, Time now);

  void on_resolved(const std::vector<SocketAddress>& addresses, const std::string& error, Time now);
  void on_handshake(const datapath::HandshakeDatagram& datagram, Time now);
  void on_lane_event(const datapath::LaneEvent& event, Time now);
  void on_timer(Time now);
  [[nodiscard]] std::optional<Time> deadline() const;  // when on_timer() wants to be called

  [[nodiscard]] SessionStatus status(Time now) const;

 private:
  struct Known {  // an association of the lane's
    datapath::AssociationId id;
    AssociationStatus status;
    bool confirmed = false;
    std::optional<Time> retire_at;
    std::optional<Time> speak_at;  // acceptor, plain peer
  };

  // HandshakeOwner
  void send_handshake(ConstBytes datagram, const outside::Endpoint& to) override;
  datapath::AssociationId established(const dtls::Established& established,
                                      const outside::Endpoint& peer, Time now) override;
  void handshake_failed(const dtls::HandshakeFailure& failure, const outside::Endpoint& peer,
                        Time now) override;
  [[nodiscard]] bool is_peer(const IpAddress& address) const override;

  void apply(Event event, Reason reason, Time now);
  void act(Action action, Time now);
  void enter(Phase phase, Reason reason, Time now);
  void begin_attempt(Time now);
  void confirm(datapath::AssociationId id, Time now);
  void confirmed(Time now);
  void hold_carrier(Time now);
  void end_damping(Time now);
  void drop_associations();
  void end_revoked(const dtls::Identity& identity, Time now);
  void ask_next_peer(Time now);
  Known* find(datapath::AssociationId id);
  [[nodiscard]] const Known* current() const;
  [[nodiscard]] std::optional<Time> silence_at() const;
  void send_probe(Time now);

  void on_alert(Known& known, const datapath::AlertReceived& alert, Time now);
  void take_restart_hint(const SocketAddress& from, Time now);
  void end_doubt(Time now);

  // follow_path.cpp
  void follow_path(const Known& known, Time now);
  void look_again_at_path(Time now);
  void check_path(Time now);
  void probe_path(Time now);
  void datagram_too_big(const outside::TooBig& news, Time now);
  void tell_path_mtu();

  void speak_to_silent_peers(Time now);
  void retire_old(Time now);

  SessionSettings settings_;
  Surroundings& surroundings_;
  DropCounters& drops_;
  Handshakes handshakes_;
  Backoff backoff_;
  Prober prober_;
  FlapDamper damper_;
  PathMtu path_mtu_;
  std::optional<SocketAddress> path_remote_;  // where the path leads
  unsigned path_overhead_ = 0;                // of a datagram on it
  bool path_probed_ = false;
  std::uint64_t large_checked_ = 0;  // of large_datagrams(), when the path was checked last
  unsigned unchecked_ = 0;           // keepalive intervals since
  std::optional<Time> check_at_;
  std::pair<unsigned, unsigned> told_path_;
  std::uint32_t told_limit_ = 0;

  SessionStatus status_;
  bool carrier_ = false;
  datapath::AssociationId last_id_ = 0;
  std::vector<Known> known_;                // newest last
  datapath::AssociationId current_id_ = 0;  // newest confirmed, 0: none
  std::size_t next_peer_ = 0;
  std::deque<SocketAddress> candidates_;  // of the peer asked last, still to be tried
  struct Doubt {                          // whether the peer still has the association in use
    Time since;
    Time until;
  };
  std::optional<Doubt> doubt_;
  Time next_doubt_{};
  std::optional<Time> stable_at_;
  std::optional<Time> retry_at_;
  std::optional<Time> renew_at_;
};

}  // namespace routevpn::session
