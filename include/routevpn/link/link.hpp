// A link at work: the control thread's loop around the session, and the lane's thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <sys/types.h>

#include "routevpn/base/error.hpp"
#include "routevpn/cli/link_options.hpp"
#include "routevpn/host/control_socket.hpp"
#include "routevpn/host/event_loop.hpp"
#include "routevpn/host/state_hook.hpp"
#include "routevpn/link/ends.hpp"
#include "routevpn/link/lane_loop.hpp"
#include "routevpn/link/session.hpp"
#include "routevpn/outside/resolve.hpp"

namespace routevpn::link {

class Link : private Surroundings {
 public:
  // What is under way when a link is stopped may still pass for this long.
  static constexpr Duration drain_time = std::chrono::milliseconds(200);
  static constexpr int goodbyes = 4;  // close_notify is lost as easily as any datagram

  // The calling thread is in the public namespace while this lives. SIGTERM, SIGINT, SIGHUP and
  // SIGCHLD must have been blocked. Throws SystemError.
  Link(const cli::LinkOptions& options, std::shared_ptr<const dtls::Identity> identity, Ends ends);
  ~Link() override;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  Exit run();  // until a signal ends it, or the interface is gone

 private:
  // Surroundings
  void send_handshake(ConstBytes datagram, const outside::Endpoint& to) override;
  void command(LaneCommand command) override;
  void resolve(const PeerName& peer) override;
  void set_carrier(bool on) override;
  void state_changed(Phase phase, const Reason& reason) override;
  void handshake_failed(const SocketAddress& peer, const dtls::HandshakeFailure& failure) override;
  [[nodiscard]] Time last_heard() const override;

  void on_signal();
  void on_mailbox();
  void on_resolved();
  void reload();
  void begin_stop(Exit status);
  void adapt_mtu();
  [[nodiscard]] std::optional<Duration> time_to_wait() const;
  [[nodiscard]] std::string status() const;
  static Time clock() { return std::chrono::steady_clock::now(); }

  cli::LinkOptions options_;
  Ends ends_;
  host::NetnsScope public_scope_;  // routes and names are asked for there
  std::atomic<unsigned> mtu_;
  std::optional<unsigned> path_mtu_;
  host::EventLoop loop_;
  Fd signals_;
  Fd mailbox_wakeup_;
  Mailbox mailbox_;
  LaneCounters lane_counters_;
  DropCounters control_drops_;
  outside::Resolver resolver_;
  host::StateHook hook_;
  Session session_;
  LaneLoop lane_;
  host::ControlSocket control_socket_;
  std::thread lane_thread_;

  bool carrier_ = false;
  std::string announced_;  // the state users were told last
  Time next_failure_log_{};
  unsigned unlogged_failures_ = 0;
  std::optional<Time> stop_at_;
  std::optional<Time> goodbye_at_;
  Exit exit_ = Exit::stopped;
};

}  // namespace routevpn::link
