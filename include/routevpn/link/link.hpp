// A running link: the control thread's loop around the lanes.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/error.hpp"
#include "routevpn/host/control_socket.hpp"
#include "routevpn/host/event_loop.hpp"
#include "routevpn/host/netns_watch.hpp"
#include "routevpn/host/state_hook.hpp"
#include "routevpn/link/ends.hpp"
#include "routevpn/link/expiry.hpp"
#include "routevpn/link/lane_control.hpp"
#include "routevpn/link/last_peers.hpp"
#include "routevpn/options/link_options.hpp"

namespace routevpn::link {

class Link {
 public:
  // When a link is stopped, packets on their way may still pass for this time.
  static constexpr Duration drain_time = std::chrono::milliseconds(200);
  static constexpr int close_notifies = 4;  // sent during drain_time, because datagrams get lost
  // A peer that is there answers within this time. Until then an initiator's routes are not treated
  // as dead: packets sent meanwhile are lost rather than refused.
  static constexpr Duration first_answer_time = std::chrono::milliseconds(100);
  // Strangers can send handshakes without end: signals and timers must be served in between.
  static constexpr int handshakes_per_turn = 16;

  // The calling thread is in the public namespace while this object lives. SIGTERM, SIGINT, SIGHUP
  // and SIGCHLD must be blocked. `arguments`: of the command line, for a reload. Throws
  // SystemError.
  Link(const options::LinkOptions& options, std::vector<std::string> arguments,
       const std::shared_ptr<const dtls::Identity>& identity, Ends ends);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  Exit run();  // until a signal ends it, or the interface or a namespace is gone

 private:
  using Lanes = std::vector<std::unique_ptr<LaneControl>>;

  Lanes make_lanes(const std::shared_ptr<const dtls::Identity>& identity);
  void serve(LaneControl& lane);
  void take_events(LaneControl& lane);
  void drain(LaneControl& lane);
  void on_signal();
  void on_netns_change();
  void on_timer(Time now);
  void reload();
  void reload_credentials();
  void reload_accept();
  [[nodiscard]] datapath::PrefixSet accepted_sources() const;
  void begin_stop(Exit status);
  void interface_gone();
  void guardian_ended();
  void ignore_linkdown_routes();
  void carrier_wanted(LaneControl& lane);
  void set_carrier(bool on);
  void share_flows();
  void remember_peer(const LaneControl& lane, const IpAddress& address);
  void adapt_mtu();
  [[nodiscard]] Duration time_to_wait() const;

  // announce.cpp
  void state_changed(const session::StateChanged& change);
  void handshake_failed(const session::HandshakeFailed& failed);
  void announce(const std::string& state, const session::SessionStatus& session);
  void warn_of_expiry();
  [[nodiscard]] const LaneControl& reporting_lane() const;
  [[nodiscard]] std::string status() const;

  static constexpr Duration expiry_interval = std::chrono::hours(1);

  options::LinkOptions options_;
  std::vector<std::string> arguments_;
  std::shared_ptr<const dtls::Identity> identity_;
  Ends ends_;
  host::NetnsScope public_scope_;  // routes and names are looked up there
  std::string ifname_;
  std::atomic<unsigned> mtu_;
  std::optional<unsigned> path_mtu_;  // the smallest of the lanes'
  host::EventLoop loop_;
  Fd signals_;
  host::NetnsWatch netns_watch_;
  host::StateHook hook_;
  Lanes lanes_;
  host::ControlSocket control_socket_;
  LastPeers last_peers_;

  bool carrier_ = false;
  std::uint64_t flaps_ = 0;
  std::string announced_;  // the state last announced to users
  std::optional<Time> announced_at_;
  Time next_failure_log_{};
  unsigned unlogged_failures_ = 0;
  ExpiryWatch own_expiry_;
  ExpiryWatch peer_expiry_;
  RevocationWatch crl_expiry_;
  Time expiry_at_{};                      // the next check of certificates
  std::optional<Time> ignore_routes_at_;  // none: routes without carrier are ignored already
  std::optional<Time> stop_at_;
  std::optional<Time> close_notify_at_;
  Exit exit_ = Exit::stopped;
};

}  // namespace routevpn::link
