// A running link in the worker: the control thread's loop around the lanes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "routevpn/host/control_socket.hpp"
#include "routevpn/host/event_loop.hpp"
#include "routevpn/link/expiry.hpp"
#include "routevpn/link/handover.hpp"
#include "routevpn/link/history.hpp"
#include "routevpn/link/lane_control.hpp"
#include "routevpn/link/monitor_client.hpp"
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

  // `identity`: of the handed-over credentials. `monitor` must outlive the link. Throws
  // SystemError.
  Link(Handover handover, std::shared_ptr<const dtls::Identity> identity, MonitorClient& monitor);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // Starts the threads of the lanes; each calls `confine` first. Returns when all have done so.
  void start_lanes(const std::function<void()>& confine);
  void call_when_up(std::function<void()> call) { call_when_up_ = std::move(call); }  // once
  // Until the monitor stops it, or the interface is gone. False: the link cannot go on.
  bool run();
  // The next worker has the link: the monitor needs no further message.
  [[nodiscard]] bool handed_over() const { return handed_over_; }

 private:
  using Lanes = std::vector<std::unique_ptr<LaneControl>>;

  Lanes make_lanes(Handover handover);
  void serve(LaneControl& lane);
  void take_events(LaneControl& lane);
  void drain(LaneControl& lane);
  void on_monitor();
  void resolve(const LaneControl& lane, const session::Resolve& name);
  void resolved(const channel::Resolved& answer);
  void on_timer(Time now);
  void reload(const channel::Reload& reload, std::span<const Fd> descriptors);
  void accept_sources();
  void replace_identity(const channel::Reload& reload, const FileContents& files);
  [[nodiscard]] datapath::PrefixSet accepted_sources() const;
  void begin();
  void outlive();
  void hand_over();
  void take_over();
  void begin_stop(bool as_asked);
  void interface_gone();
  void ignore_linkdown_routes();
  void carrier_wanted(LaneControl& lane);
  void share_flows();
  void keep_gasp(const LaneControl& lane, const session::KeepGasp& kept);
  [[nodiscard]] std::uint8_t number_of(const LaneControl& lane) const;
  void adapt_mtu();
  void report_refused_calls(Time now);
  [[nodiscard]] Duration time_to_wait() const;

  // announce.cpp
  void state_changed(const session::StateChanged& change);
  void handshake_failed(const session::HandshakeFailed& failed);
  void taken_over(const session::TakenOver& taken) const;
  void announce(const std::string& state, const session::SessionStatus& session);
  [[nodiscard]] std::vector<Ending> endings() const;
  void warn_of_expiry();
  [[nodiscard]] const LaneControl& reporting_lane() const;
  [[nodiscard]] std::string status() const;

  static constexpr Duration expiry_interval = std::chrono::hours(1);

  MonitorClient& monitor_;
  const channel::Start start_;
  options::LinkOptions options_;
  std::int64_t settings_read_ = start_.settings_read;  // channel::Reload
  std::string ifname_;
  std::shared_ptr<const dtls::Identity> identity_;
  dtls::Psks next_psks_;  // of the reload that follows
  outside::RouteProbe route_probe_;
  std::atomic<unsigned> mtu_;
  std::optional<unsigned> path_mtu_;  // the smallest of the lanes'
  host::EventLoop loop_;
  host::ControlSocket control_socket_;
  StateMemory memory_;
  Lanes lanes_;

  std::function<void()> call_when_up_;
  bool carrier_ = false;
  std::uint64_t flaps_;
  std::uint64_t refused_sources_;  // by the kernel
  std::string announced_;          // the state last announced to users
  std::optional<Time> announced_at_;
  History history_;
  Time next_failure_log_{};
  unsigned unlogged_failures_ = 0;
  EndWatch end_watch_;
  std::uint64_t refused_logged_ = 0;  // system calls
  Time next_refused_log_{};
  Time expiry_at_{};                      // the next check of certificates
  std::optional<Time> ignore_routes_at_;  // none: routes without carrier are ignored already
  std::optional<Time> stop_at_;
  std::optional<Time> close_notify_at_;
  bool as_asked_ = true;
  bool handed_over_ = false;
};

}  // namespace routevpn::link
