// A lane as the control thread has it: the session that decides for it, the mailbox between them,
// and the thread that carries.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "routevpn/datapath/lane_loop.hpp"
#include "routevpn/host/event_loop.hpp"
#include "routevpn/link/ends.hpp"
#include "routevpn/outside/resolve.hpp"
#include "routevpn/session/session.hpp"

namespace routevpn::link {

class LaneControl;

// What a path carries in one datagram, and what of it is left for a packet inside. Bytes.
struct PathCapacity {
  unsigned mtu = 0;
  unsigned payload_bytes = 0;
};

// The link, as its lanes see it.
class LaneOwner {
 public:
  virtual ~LaneOwner() = default;
  virtual void carrier_wanted(LaneControl& lane) = 0;  // or no longer
  virtual void state_changed(LaneControl& lane, session::Phase phase,
                             const session::Reason& reason) = 0;
  virtual void handshake_failed(const SocketAddress& peer,
                                const dtls::HandshakeFailure& failure) = 0;
  virtual void path_mtu_changed() = 0;
  virtual void interface_gone() = 0;
};

class LaneControl : private session::Surroundings {
 public:
  // `mtu`: of the interface. `serves_inside`: its queue is attached. `mark`: of its datagrams.
  // Throws SystemError.
  LaneControl(LaneOwner& owner, host::EventLoop& loop, session::SessionSettings settings,
              std::shared_ptr<const dtls::Identity> identity, LaneEnds ends,
              const std::atomic<unsigned>& mtu, bool serves_inside,
              datapath::OuterClass outer_class, std::uint32_t mark);
  ~LaneControl() override;  // ends the thread
  LaneControl(const LaneControl&) = delete;
  LaneControl& operator=(const LaneControl&) = delete;

  void start(Time now);
  void on_timer(Time now);
  void serve_inside(bool on);  // takes flows of the interface, or leaves them to the other lanes

  session::Session& session() { return session_; }
  [[nodiscard]] const session::Session& session() const { return session_; }
  [[nodiscard]] const inside::Tun& tun() const { return ends_.tun; }
  [[nodiscard]] const datapath::LaneCounters& counters() const { return counters_; }
  [[nodiscard]] const DropCounters& control_drops() const { return control_drops_; }
  [[nodiscard]] SocketAddress local(const session::SessionStatus& status) const;
  [[nodiscard]] bool wants_carrier() const { return wants_carrier_; }
  // None before the first association.
  [[nodiscard]] const std::optional<PathCapacity>& path() const { return path_; }

 private:
  // Surroundings
  void send_handshake(ConstBytes datagram, const outside::Endpoint& to) override;
  void command(datapath::LaneCommand command) override;
  void resolve(const session::PeerName& peer) override;
  void set_carrier(bool on) override;
  void state_changed(session::Phase phase, const session::Reason& reason) override;
  void handshake_failed(const SocketAddress& peer, const dtls::HandshakeFailure& failure) override;
  [[nodiscard]] Time last_heard() const override;
  [[nodiscard]] outside::RouteMtu route_mtu(const SocketAddress& remote) const override;
  [[nodiscard]] std::uint64_t large_datagrams() const override;
  void path_mtu_changed(unsigned path_mtu, unsigned payload_bytes) override;

  static constexpr int handshakes_per_turn = 16;

  void on_mailbox();
  void take_events();
  void take_handshake();
  void on_resolved();

  LaneOwner& owner_;
  LaneEnds ends_;
  datapath::OuterClass outer_class_;
  std::uint32_t mark_;
  Fd mailbox_wakeup_;
  datapath::Mailbox mailbox_;
  datapath::LaneCounters counters_;
  DropCounters control_drops_;
  outside::Resolver resolver_;
  session::Session session_;
  datapath::LaneLoop loop_;
  std::thread thread_;
  bool wants_carrier_ = false;
  std::optional<PathCapacity> path_;
  bool serves_inside_;
};

}  // namespace routevpn::link
