// A link at work: the control thread's loop around its lanes.
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
#include "routevpn/options/link_options.hpp"

namespace routevpn::link {

class Link : private LaneOwner {
 public:
  // What is under way when a link is stopped may still pass for this long.
  static constexpr Duration drain_time = std::chrono::milliseconds(200);
  static constexpr int goodbyes = 4;  // close_notify is lost as easily as any datagram
  // A peer that is there has answered in this time. Until it is known whether it is, an initiator's
  // routes are not taken for dead: what is sent meanwhile is lost rather than refused.
  static constexpr Duration first_verdict = std::chrono::milliseconds(100);

  // The calling thread is in the public namespace while this lives. SIGTERM, SIGINT, SIGHUP and
  // SIGCHLD must have been blocked. Throws SystemError.
  Link(const options::LinkOptions& options, const std::shared_ptr<const dtls::Identity>& identity,
       Ends ends);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  Exit run();  // until a signal ends it, or the interface or a namespace is gone

 private:
  using Lanes = std::vector<std::unique_ptr<LaneControl>>;

  // LaneOwner
  void carrier_wanted(LaneControl& lane) override;
  void state_changed(LaneControl& lane, session::Phase phase,
                     const session::Reason& reason) override;
  void handshake_failed(const SocketAddress& peer, const dtls::HandshakeFailure& failure) override;
  void path_mtu_changed() override;
  void interface_gone() override;

  Lanes make_lanes(const std::shared_ptr<const dtls::Identity>& identity);
  void on_signal();
  void on_netns_change();
  void on_timer(Time now);
  void reload();
  void begin_stop(Exit status);
  void ignore_linkdown_routes();
  void adapt_mtu();
  void set_carrier(LaneControl& lane, bool on);
  void share_flows();
  void warn_of_expiry();
  void announce(const std::string& state, const session::SessionStatus& session);
  [[nodiscard]] Duration time_to_wait() const;
  [[nodiscard]] const LaneControl& speaker() const;
  [[nodiscard]] std::string status() const;
  static Time clock() { return read_clock(); }

  static constexpr Duration expiry_interval = std::chrono::hours(1);

  options::LinkOptions options_;
  std::shared_ptr<const dtls::Identity> identity_;
  Ends ends_;
  host::NetnsScope public_scope_;  // routes and names are asked for there
  std::string ifname_;
  std::atomic<unsigned> mtu_;
  std::optional<unsigned> path_mtu_;  // the smallest of the lanes'
  host::EventLoop loop_;
  Fd signals_;
  host::NetnsWatch netns_watch_;
  host::StateHook hook_;
  Lanes lanes_;
  host::ControlSocket control_socket_;

  bool carrier_ = false;
  std::uint64_t flaps_ = 0;
  std::string announced_;  // the state users were told last
  std::optional<Time> announced_at_;
  Time next_failure_log_{};
  unsigned unlogged_failures_ = 0;
  ExpiryWatch own_expiry_;
  ExpiryWatch peer_expiry_;
  Time expiry_at_{};                // when they are looked at next
  std::optional<Time> verdict_at_;  // none: it has come
  std::optional<Time> stop_at_;
  std::optional<Time> goodbye_at_;
  Exit exit_ = Exit::stopped;
};

}  // namespace routevpn::link
