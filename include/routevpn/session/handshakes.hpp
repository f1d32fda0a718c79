// The handshakes of one lane: the initiator's attempt, or the acceptor's half-open ones and those
// whose last flight may have to be repeated. Nothing here touches the association in use.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "routevpn/base/drop.hpp"
#include "routevpn/datapath/association.hpp"
#include "routevpn/dtls/admission.hpp"
#include "routevpn/dtls/handshake.hpp"
#include "routevpn/dtls/listener.hpp"

namespace routevpn::session {

class HandshakeOwner {
 public:
  virtual ~HandshakeOwner() = default;
  virtual void send_handshake(ConstBytes datagram, const outside::Endpoint& to) = 0;
  // The keys are to be in place when this returns: the last flight is sent after it.
  virtual datapath::AssociationId established(const dtls::Established& established,
                                              const outside::Endpoint& peer, Time now) = 0;
  virtual void handshake_failed(const dtls::HandshakeFailure& failure,
                                const outside::Endpoint& peer, Time now) = 0;
  // Whether the association in use is with somebody at this address.
  [[nodiscard]] virtual bool is_peer(const IpAddress& address) const = 0;
};

class Handshakes {
 public:
  // An attempt that nobody answers at all is given up after this, so that another address, or the
  // same one anew, is tried: flights at 0, 0.1, 0.3, 0.7 and 1.5 s.
  static constexpr Duration unanswered = std::chrono::seconds(2);

  Handshakes(dtls::Role role, std::shared_ptr<const dtls::Identity> identity,
             std::vector<IpPrefix> allowed, HandshakeOwner& owner, DropCounters& drops);

  void initiate(const outside::Endpoint& peer, Time now);
  void receive(ConstBytes datagram, const outside::Endpoint& from, Time now);
  // An acceptor without associations got data: whether its sender was told so.
  bool give_restart_hint(const outside::Endpoint& to, Time now);
  void on_timer(Time now);
  [[nodiscard]] std::optional<Time> deadline() const;
  // Whether this association's peer has asked for our last flight again since.
  [[nodiscard]] bool repeated_since(datapath::AssociationId id, Time since) const;
  // The peer has proved to be through with this handshake, and with all before it from its address.
  void finish(datapath::AssociationId id);
  void abandon();  // all of them
  // Those that are not completed are over: they would go by the old one.
  void replace_identity(std::shared_ptr<const dtls::Identity> identity);
  [[nodiscard]] bool initiating() const;
  [[nodiscard]] bool heard() const;  // the peer has answered the attempt under way

 private:
  struct Entry {
    std::unique_ptr<dtls::Handshake> handshake;
    outside::Endpoint peer;
    Time begun;
    bool heard = false;                                    // anything, since
    std::optional<datapath::AssociationId> association{};  // completed
    Time last_repeat{};
  };
  using Entries = std::map<SocketAddress, Entry>;

  std::optional<Drop> admit(const SocketAddress& source, Time now);
  bool make_room_for(const IpAddress& source);
  void client_hello(ConstBytes datagram, const outside::Endpoint& from, Time now);
  void feed(Entries::iterator entry, ConstBytes datagram, Time now);
  void proceed(Entries::iterator entry, Time now);
  void fail(Entries::iterator entry, const dtls::HandshakeFailure& failure, Time now);
  [[nodiscard]] static std::optional<Time> deadline_of(const Entry& entry);

  dtls::Role role_;
  std::shared_ptr<const dtls::Identity> identity_;
  dtls::Admission admission_;
  std::optional<dtls::Listener> listener_;
  HandshakeOwner& owner_;
  DropCounters& drops_;
  Entries entries_;
  Time next_restart_hint_{};
};

}  // namespace routevpn::session
