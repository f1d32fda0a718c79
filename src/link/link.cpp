#include "routevpn/link/link.hpp"

#include <algorithm>
#include <csignal>
#include <random>

#include <sys/signalfd.h>
#include <unistd.h>

#include "routevpn/base/log.hpp"
#include "routevpn/base/overloaded.hpp"
#include "routevpn/datapath/mtu.hpp"
#include "routevpn/host/notify.hpp"

namespace routevpn::link {

namespace {

Fd open_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&wanted, signal);
  Fd fd(signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) throw system_error("signalfd");
  return fd;
}

std::string link_name(const options::LinkOptions& options, const std::string& ifname) {
  return options.link.empty() ? ifname : options.link;
}

}  // namespace

Link::Link(const options::LinkOptions& options, std::vector<std::string> arguments,
           const std::shared_ptr<const dtls::Identity>& identity, Ends ends)
    : options_(options),
      arguments_(std::move(arguments)),
      identity_(identity),
      ends_(std::move(ends)),
      public_scope_(ends_.public_netns),
      ifname_(ends_.lanes.front().tun.name()),
      mtu_(ends_.mtu),
      signals_(open_signals()),
      netns_watch_({options.netns, options.public_netns}),
      hook_(options.on_state),
      lanes_(make_lanes(identity)),
      control_socket_(loop_, options.run_dir, link_name(options, ifname_),
                      [this] { return status(); }),
      last_peers_(options.run_dir, control_socket_.link(), lanes_.size()) {
  Log::name_link(control_socket_.link());
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (last_peers_.of(i)) lanes_[i]->session().remember_peer(*last_peers_.of(i));
  }
  for (const auto& lane : lanes_) {
    loop_.watch(lane->mailbox_fd(), [this, &lane = *lane] {
      lane.acknowledge();
      serve(lane);
    });
    loop_.watch(lane->resolver_fd(), [this, &lane = *lane] {
      lane.take_resolution();
      drain(lane);
    });
  }
  loop_.watch(signals_.get(), [this] { on_signal(); });
  loop_.watch(netns_watch_.fd(), [this] { on_netns_change(); });
  if (ends_.guardian) {
    loop_.watch(ends_.guardian->ended_fd(), [this] { guardian_ended(); });
  }
}

Link::Lanes Link::make_lanes(const std::shared_ptr<const dtls::Identity>& identity) {
  const datapath::LanePolicy policy{datapath::OuterClass(options_.dscp),
                                    datapath::PrefixSet(options_.allow), accepted_sources()};
  Lanes lanes;
  for (auto& ends : ends_.lanes) {
    const auto number = static_cast<unsigned>(lanes.size());
    lanes.push_back(std::make_unique<LaneControl>(
        session::SessionSettings::of(options_, number, std::random_device{}()), identity,
        std::move(ends), mtu_, number == 0, policy, ends_.route_probe));
  }
  ends_.lanes.clear();
  return lanes;
}

Exit Link::run() {
  log_info("interface is ready",
           {{"ifname", ifname_},
            {"listening", lanes_.front()->local(session::SessionStatus{}).to_string()},
            {"mtu", std::to_string(mtu_)}});
  host::notify("READY=1");
  ignore_routes_at_ =
      read_clock() + (options_.peers.empty() ? Duration::zero() : first_answer_time);
  for (const auto& lane : lanes_) {
    lane->start(read_clock());
    drain(*lane);
  }
  while (!stop_at_ || read_clock() < *stop_at_) {
    loop_.turn(time_to_wait());
    on_timer(read_clock());
  }
  return exit_;
}

void Link::serve(LaneControl& lane) {
  for (int i = 0; i < handshakes_per_turn; ++i) {
    take_events(lane);
    if (!lane.take_handshake()) return;
    drain(lane);
  }
  lane.wake_again();
}

void Link::take_events(LaneControl& lane) {
  while (lane.take_event()) drain(lane);
}

void Link::drain(LaneControl& lane) {
  while (auto report = lane.next_report()) {
    std::visit(Overloaded{
                   [&](const session::CarrierOn&) { carrier_wanted(lane); },
                   [&](const session::CarrierOff&) { carrier_wanted(lane); },
                   [&](const session::StateChanged& change) { state_changed(change); },
                   [&](const session::HandshakeFailed& failed) { handshake_failed(failed); },
                   [&](const session::PathMtuChanged&) {
                     control_socket_.publish();
                     adapt_mtu();
                   },
                   [&](const session::PeerRemembered& peer) { remember_peer(lane, peer.address); },
                   [&](const datapath::InterfaceGone&) { interface_gone(); },
               },
               *report);
  }
}

void Link::on_timer(Time now) {
  if (ignore_routes_at_ && now >= *ignore_routes_at_) ignore_linkdown_routes();
  if (now >= expiry_at_) {
    warn_of_expiry();
    for (const auto& lane : lanes_) lane->tell_wall_clock(now);  // it may have been set
  }
  const bool close_notify = close_notify_at_ && now >= *close_notify_at_;
  if (close_notify) close_notify_at_ = now + drain_time / close_notifies;
  for (const auto& lane : lanes_) {
    take_events(*lane);  // what has happened comes before timers
    if (close_notify) lane->session().repeat_close_notify();
    lane->on_timer(now);
    drain(*lane);
  }
}

Duration Link::time_to_wait() const {
  Time first = stop_at_.value_or(expiry_at_);
  const auto consider = [&first](const std::optional<Time>& other) {
    if (other) first = std::min(first, *other);
  };
  consider(close_notify_at_);
  consider(ignore_routes_at_);
  for (const auto& lane : lanes_) consider(lane->session().deadline());
  return std::max(first - read_clock(), Duration::zero());
}

void Link::on_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
  if (info.ssi_signo == SIGCHLD) return hook_.reap();
  if (info.ssi_signo == SIGHUP) return reload();
  log_info("stopping", {{"signal", strsignal(static_cast<int>(info.ssi_signo))}});
  begin_stop(Exit::stopped);
}

void Link::ignore_linkdown_routes() {
  ignore_routes_at_.reset();
  try {
    ends_.linkdown_routes.ignore();
  } catch (const SystemError& error) {
    log_warning("routes are not ignored without carrier", {{"error", error.what()}});
  }
}

// The link's carrier is on while at least one lane is up.
void Link::carrier_wanted(LaneControl& lane) {
  if (lanes_.size() > 1) {
    log_info(lane.wants_carrier() ? "lane is up" : "lane is down",
             {{"port", std::to_string(lane.local(session::SessionStatus{}).port)}});
  }
  adapt_mtu();
  const auto wants = [](const auto& one) { return one->wants_carrier(); };
  const bool wanted = std::any_of(lanes_.begin(), lanes_.end(), wants);
  if (wanted != carrier_) {
    set_carrier(wanted);
    carrier_ = wanted;
    if (!wanted && !stop_at_) ++flaps_;
  }
  share_flows();
}

// A deleted interface has no carrier to lose: the stop goes on, so that the peer is told.
void Link::set_carrier(bool on) {
  try {
    ends_.carrier.set(on);
  } catch (const SystemError& error) {
    if (on) throw;
    log_warning("the carrier cannot be taken off", {{"error", error.what()}});
  }
}

// Lanes that are up take the flows of lanes that are down. Without any lane up nothing moves.
void Link::share_flows() {
  if (!carrier_) return;
  try {
    for (const bool on : {true, false}) {  // attach first: one queue is always attached
      for (const auto& lane : lanes_) {
        if (lane->wants_carrier() == on) lane->serve_inside(on);
      }
    }
  } catch (const SystemError& error) {
    log_warning("flows stay in a lane that is down", {{"error", error.what()}});
  }
}

void Link::remember_peer(const LaneControl& lane, const IpAddress& address) {
  const auto at = std::ranges::find(lanes_, &lane, &std::unique_ptr<LaneControl>::get);
  last_peers_.remember(static_cast<std::size_t>(at - lanes_.begin()), address);
}

// The interface has one MTU, so the narrowest path counts.
void Link::adapt_mtu() {
  std::optional<session::PathMtuChanged> narrowest;
  for (const auto& lane : lanes_) {
    if (!lane->path() || !lane->session().status(read_clock()).association) continue;
    if (!narrowest) narrowest = lane->path();
    narrowest->path_mtu = std::min(narrowest->path_mtu, lane->path()->path_mtu);
    narrowest->payload_bytes = std::min(narrowest->payload_bytes, lane->path()->payload_bytes);
  }
  if (!narrowest) return;
  path_mtu_ = narrowest->path_mtu;
  const unsigned mtu =
      datapath::interface_mtu(narrowest->payload_bytes, has_family(options_, false));
  if (options_.mtu || mtu == mtu_) return;
  try {
    ends_.netlink.set_mtu(ifname_, mtu);
    mtu_ = mtu;
    log_info("the interface's MTU follows the path's",
             {{"mtu", std::to_string(mtu)}, {"path_mtu", std::to_string(*path_mtu_)}});
  } catch (const std::exception& error) {
    log_warning("the interface keeps its MTU", {{"error", error.what()}});
  }
}

}  // namespace routevpn::link
