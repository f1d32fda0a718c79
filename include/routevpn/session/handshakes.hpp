// The handshakes of one lane: the initiator's attempt, or the acceptor's half-open handshakes and
// completed ones whose last flight the peer may ask for again. The association in use is elsewhere.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "routevpn/base/drop.hpp"
#include "routevpn/base/rate_limit.hpp"
#include "routevpn/datapath/source_table.hpp"
#include "routevpn/dtls/admission.hpp"
#include "routevpn/dtls/envelope.hpp"
#include "routevpn/dtls/handshake.hpp"
#include "routevpn/dtls/listener.hpp"
#include "routevpn/session/half_open.hpp"
#include "routevpn/session/output.hpp"
#include "routevpn/session/restart_hint.hpp"

namespace routevpn::session {

// A completed handshake. Its last flight follows as SendHandshake.
struct HandshakeCompleted {
  datapath::AssociationId id;  // counted up by completed handshakes
  dtls::Established established;
  outside::Endpoint peer;
};
using HandshakeEvent = std::variant<SendHandshake, HandshakeCompleted, HandshakeFailed>;

class Handshakes {
 public:
  // An attempt without any answer is given up after this time, so that the next address is tried:
  // flights leave at 0, 0.1, 0.3, 0.7 and 1.5 s.
  static constexpr Duration unanswered = std::chrono::seconds(2);

  // An acceptor reports a datagram that fits its PSK not at most once in this time.
  static constexpr Duration psk_report_interval = std::chrono::minutes(1);

  Handshakes(dtls::Role role, std::shared_ptr<const dtls::Identity> identity,
             std::vector<IpPrefix> allowed, DropCounters& drops, unsigned lane = 0);

  void initiate(const outside::Endpoint& peer, Time now);
  // `psk`: what open() has found.
  void receive(ConstBytes datagram, const outside::Endpoint& from, Time now,
               const dtls::PskPtr& psk = nullptr);
  // Opens the envelope of a link with a PSK, and counts the datagram if there is a fault.
  dtls::Envelopes::Opened open(ConstBytes received, const outside::Endpoint& from, Time now);
  // The peer's last address: strangers cannot use up its rate, its places among the half-open
  // handshakes or its restart hints.
  void remember_peer(const IpAddress& address) { peer_ = address; }
  void on_timer(Time now);
  [[nodiscard]] std::optional<Time> deadline() const;
  // What happened since, in order: process each event before the next is taken.
  [[nodiscard]] std::optional<HandshakeEvent> take_event();

  // The association of this completed handshake could not be made: its last flight is not sent.
  void refuse(const HandshakeCompleted& completed, const std::string& text);
  // An acceptor without associations received data: whether the sender got a restart hint. With a
  // PSK only an address that --allow names gets one: a stranger gets no answer.
  bool send_restart_hint(const outside::Endpoint& to, Time now);
  // Whether the peer of this association has asked for our last flight again since then.
  [[nodiscard]] bool retransmitted_since(datapath::AssociationId id, Time since) const;
  // The peer has proved that it needs this handshake, and earlier ones, no longer.
  void finish(datapath::AssociationId id);
  // Ends all handshakes. Failures that were not taken yet are of no interest any longer.
  void abandon();
  // Ends the handshakes that are not completed: they verify by the old identity.
  void replace_identity(std::shared_ptr<const dtls::Identity> identity);
  // The id of the last completed handshake. A process that takes over continues above it.
  [[nodiscard]] datapath::AssociationId last_id() const { return last_id_; }
  void continue_above(datapath::AssociationId last) { last_id_ = last; }
  [[nodiscard]] bool initiating() const;
  [[nodiscard]] bool answered() const;  // the peer has answered the attempt in progress

 private:
  struct Entry {
    std::unique_ptr<dtls::Handshake> handshake;
    outside::Endpoint peer;
    Time begun;
    bool answered = false;
    bool first_contact = false;
    std::optional<datapath::AssociationId> association{};  // completed
    Time last_received{};
  };
  using Entries = std::map<SocketAddress, Entry>;

  dtls::Admission::Decision admit(const SocketAddress& source, Time now);
  bool make_room_for(const HalfOpen& newcomer);
  void client_hello(ConstBytes datagram, const outside::Endpoint& from, Time now,
                    const dtls::PskPtr& psk);
  void send(std::vector<std::uint8_t> datagram, const outside::Endpoint& to,
            const dtls::PskPtr& psk);
  void feed(Entries::iterator entry, ConstBytes datagram, Time now);
  void proceed(Entries::iterator entry);
  void fail(Entries::iterator entry, dtls::HandshakeFailure failure);
  void failed(const SocketAddress& peer, dtls::HandshakeFailure failure);
  [[nodiscard]] static std::optional<Time> deadline_of(const Entry& entry);

  dtls::Role role_;
  std::shared_ptr<const dtls::Identity> identity_;
  dtls::Admission admission_;
  std::optional<dtls::Listener> listener_;
  dtls::Envelopes envelopes_;
  DropCounters& drops_;
  Entries entries_;
  std::deque<HandshakeEvent> events_;
  datapath::AssociationId last_id_ = 0;
  std::optional<IpAddress> peer_;
  HintLimit hints_;
  datapath::SourceTable<RateLimit, 6> cookie_requests_;  // HelloVerifyRequests sent
  Time next_psk_report_{};
};

}  // namespace routevpn::session
