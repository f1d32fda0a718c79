// The control thread's side of one lane: the session that decides for the lane, the mailbox between
// the two, and the lane's thread. It drives the session and carries out the session's outputs;
// those that concern the whole link it hands to the link, in their order.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <variant>

#include "routevpn/base/fields.hpp"
#include "routevpn/datapath/lane_ends.hpp"
#include "routevpn/datapath/lane_loop.hpp"
#include "routevpn/link/handover.hpp"
#include "routevpn/outside/route_mtu.hpp"
#include "routevpn/session/session.hpp"

namespace routevpn::link {

class LaneControl {
 public:
  // What concerns the link.
  using Report = std::variant<session::CarrierOn, session::CarrierOff, session::StateChanged,
                              session::HandshakeFailed, session::PathMtuChanged, session::Resolve,
                              session::PeerRemembered, session::KeepGasp, session::TakenOver,
                              datapath::InterfaceGone>;

  // `mtu`: of the interface. `serves_inside`: the lane's queue is attached. Throws SystemError.
  LaneControl(session::SessionSettings settings, std::shared_ptr<const dtls::Identity> identity,
              datapath::LaneEnds ends, const outside::RouteProbe& route_probe,
              const std::atomic<unsigned>& mtu, bool serves_inside,
              const datapath::LanePolicy& policy);
  ~LaneControl();  // ends the threads
  LaneControl(const LaneControl&) = delete;
  LaneControl& operator=(const LaneControl&) = delete;

  [[nodiscard]] unsigned threads() const { return loop_.has_second() ? 2 : 1; }
  // Starts the threads. Each calls `confine` first.
  void start_threads(const std::function<void()>& confine);
  void start(Time now);
  // Lets the threads take packets. Before, they have only called `confine`.
  void release();
  // The lane moves to another process in these steps:
  //
  //   1. halt() ends the threads, and executes the commands that the lane has.
  //   2. take_event() and next_report() until both have nothing: the session may decide once more.
  //   3. halt() again executes those commands. The lane sends nothing afterwards.
  //   4. write_state() here, resume() in place of start() there.
  void halt();
  void write_state(FieldWriter& into, Time now);
  void resume(FieldReader& from, Time now);  // throws SystemError when a cipher's library fails
  // Readable when there may be events or handshakes; acknowledge() before they are taken.
  [[nodiscard]] int mailbox_fd() const { return mailbox_wakeup_.get(); }
  void acknowledge() const;
  void wake_again() const;  // mailbox_fd() is readable at once
  // Each hands the session its next input; false: there is none. Drain next_report() after each.
  bool take_event();
  bool take_handshake();
  void on_timer(Time now);
  void tell_wall_clock(Time now);
  void accept_sources(datapath::PrefixSet sources);
  // The answer to a session::Resolve, with any port. Without addresses: `error` says why.
  void resolved(std::vector<SocketAddress> addresses, const std::string& error);
  // Carries out the session's outputs up to the next that concerns the link.
  [[nodiscard]] std::optional<Report> next_report();
  // Takes flows of the interface, or leaves them to the other lanes. Throws SystemError.
  void serve_inside(bool on);

  session::Session& session() { return session_; }
  [[nodiscard]] const session::Session& session() const { return session_; }
  [[nodiscard]] const datapath::LaneCounters& counters() const { return counters_; }
  [[nodiscard]] const DropCounters& control_drops() const { return control_drops_; }
  [[nodiscard]] SocketAddress local(const session::SessionStatus& status) const;
  [[nodiscard]] SocketAddress sparse_local(const session::SessionStatus& status) const;
  [[nodiscard]] bool wants_carrier() const { return wants_carrier_; }
  // None before the first association.
  [[nodiscard]] const std::optional<session::PathMtuChanged>& path() const { return path_; }

 private:
  void end_threads();
  void send_handshake(const session::SendHandshake& flight);
  void command(datapath::LaneCommand command);

  datapath::LaneEnds ends_;
  datapath::OuterClass outer_class_;
  const outside::RouteProbe& route_probe_;
  Fd mailbox_wakeup_;
  datapath::Mailbox mailbox_;
  datapath::LaneCounters counters_;
  DropCounters control_drops_;
  session::Session session_;
  datapath::LaneLoop loop_;
  std::thread thread_;
  std::thread second_thread_;
  std::atomic<bool> released_{false};
  std::optional<options::PeerAddress> asked_;  // its addresses are not known yet
  bool wants_carrier_ = false;
  bool interface_gone_ = false;  // the link has not been told yet
  std::optional<session::PathMtuChanged> path_;
  bool serves_inside_;
};

}  // namespace routevpn::link
