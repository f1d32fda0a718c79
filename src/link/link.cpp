#include "routevpn/link/link.hpp"

#include <algorithm>
#include <csignal>
#include <random>

#include <sys/signalfd.h>
#include <unistd.h>

#include "routevpn/base/log.hpp"
#include "routevpn/datapath/mtu.hpp"
#include "routevpn/host/memory.hpp"
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

// Lane i calls the port i above the peer's.
session::SessionSettings session_settings(const options::LinkOptions& options, unsigned lane) {
  session::SessionSettings settings;
  settings.role = options.peers.empty() ? session::Role::acceptor : session::Role::initiator;
  for (const auto& peer : options.peers) {
    settings.peers.push_back({peer.host, static_cast<std::uint16_t>(peer.port + lane)});
  }
  settings.allowed = options.allow;
  settings.keepalive = options.keepalive;
  settings.dead_after = options.dead_after;
  settings.up_delay = options.up_delay;
  settings.rekey = options.rekey;
  settings.limits.renew_after = options.rekey_records;
  if (options.crypto == options::Crypto::openssl) settings.backend = record::CryptoBackend::openssl;
  if (options.crypto == options::Crypto::ipsec_mb)
    settings.backend = record::CryptoBackend::ipsec_mb;
  settings.seed = std::random_device{}();
  return settings;
}

std::string link_name(const options::LinkOptions& options, const std::string& ifname) {
  return options.link.empty() ? ifname : options.link;
}

}  // namespace

Link::Link(const options::LinkOptions& options,
           const std::shared_ptr<const dtls::Identity>& identity, Ends ends)
    : options_(options),
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
                      [this] { return status(); }) {
  Log::name_link(control_socket_.link());
  loop_.watch(signals_.get(), [this] { on_signal(); });
  loop_.watch(netns_watch_.fd(), [this] { on_netns_change(); });
}

Link::Lanes Link::make_lanes(const std::shared_ptr<const dtls::Identity>& identity) {
  Lanes lanes;
  LaneOwner& owner = *this;
  for (auto& ends : ends_.lanes) {
    const auto number = static_cast<unsigned>(lanes.size());
    lanes.push_back(std::make_unique<LaneControl>(
        owner, loop_, session_settings(options_, number), identity, std::move(ends), mtu_,
        number == 0, datapath::OuterClass(options_.dscp), options_.fwmark));
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
  verdict_at_ = clock() + (options_.peers.empty() ? Duration::zero() : first_verdict);
  for (const auto& lane : lanes_) lane->start(clock());
  while (!stop_at_ || clock() < *stop_at_) {
    loop_.turn(time_to_wait());
    on_timer(clock());
  }
  return exit_;
}

void Link::on_timer(Time now) {
  if (verdict_at_ && now >= *verdict_at_) ignore_linkdown_routes();
  if (now >= expiry_at_) warn_of_expiry();
  const bool goodbye = goodbye_at_ && now >= *goodbye_at_;
  if (goodbye) goodbye_at_ = now + drain_time / goodbyes;
  for (const auto& lane : lanes_) {
    if (goodbye) lane->session().tell_again();
    lane->on_timer(now);
  }
}

Duration Link::time_to_wait() const {
  Time first = stop_at_.value_or(expiry_at_);
  const auto consider = [&first](const std::optional<Time>& other) {
    if (other) first = std::min(first, *other);
  };
  consider(goodbye_at_);
  consider(verdict_at_);
  for (const auto& lane : lanes_) consider(lane->session().deadline());
  return std::max(first - clock(), Duration::zero());
}

void Link::on_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
  if (info.ssi_signo == SIGCHLD) return hook_.reap();
  if (info.ssi_signo == SIGHUP) return reload();
  log_info("stopping", {{"signal", strsignal(static_cast<int>(info.ssi_signo))}});
  begin_stop(Exit::stopped);
}

void Link::begin_stop(Exit status) {
  const Time now = clock();
  if (stop_at_) {  // asked twice: at once
    stop_at_ = now;
    return;
  }
  exit_ = status;
  host::notify("STOPPING=1");
  const bool has_peer = std::any_of(lanes_.begin(), lanes_.end(), [now](const auto& lane) {
    return lane->session().status(now).association.has_value();
  });
  stop_at_ = has_peer ? now + drain_time : now;
  if (has_peer) goodbye_at_ = now + drain_time / goodbyes;
  for (const auto& lane : lanes_) lane->session().stop(now);
}

// Whoever deletes it wants what is in it gone, and we are what keeps it.
void Link::on_netns_change() {
  const auto deleted = netns_watch_.deleted();
  if (!deleted) return;
  log_error("the network namespace was deleted", {{"netns", *deleted}});
  begin_stop(Exit::failed);
}

void Link::interface_gone() {
  if (stop_at_) return;  // another lane said so before
  log_error("the interface is gone", {{"ifname", ifname_}});
  begin_stop(Exit::failed);
}

void Link::ignore_linkdown_routes() {
  verdict_at_.reset();
  try {
    ends_.linkdown_routes.ignore();
  } catch (const SystemError& error) {
    log_warning("routes are not ignored without carrier", {{"error", error.what()}});
  }
}

void Link::reload() {
  try {
    identity_ =
        dtls::Identity::load({options_.certificate, options_.key, options_.ca, options_.crl},
                             {options_.peer_name, options_.ciphers});
    for (const auto& lane : lanes_) lane->session().replace_identity(identity_, clock());
    log_info("certificates were loaded again");
    warn_of_expiry();
  } catch (const std::exception& error) {
    log_error("reload failed, the old certificates stay in force", {{"error", error.what()}});
  }
}

// The carrier is on while one lane is up.
void Link::carrier_wanted(LaneControl& lane) {
  if (lanes_.size() > 1) {
    log_info(lane.wants_carrier() ? "lane is up" : "lane is down",
             {{"port", std::to_string(lane.local(session::SessionStatus{}).port)}});
  }
  adapt_mtu();
  const auto wants = [](const auto& one) { return one->wants_carrier(); };
  const bool wanted = std::any_of(lanes_.begin(), lanes_.end(), wants);
  if (wanted != carrier_) {
    set_carrier(lane, wanted);
    carrier_ = wanted;
    if (!wanted && !stop_at_) ++flaps_;
  }
  share_flows();
}

// One that somebody has deleted has none to lose, and there is still the peer to be told.
void Link::set_carrier(LaneControl& lane, bool on) {
  try {
    lane.tun().set_carrier(on);
  } catch (const SystemError& error) {
    if (on) throw;
    log_warning("the carrier cannot be taken off", {{"error", error.what()}});
  }
}

// The flows of lanes that are down go to those that are up. While none is, the last keeps them.
void Link::share_flows() {
  if (!carrier_) return;
  try {
    for (const bool on : {true, false}) {  // first those who take, or none would for a moment
      for (const auto& lane : lanes_) {
        if (lane->wants_carrier() == on) lane->serve_inside(on);
      }
    }
  } catch (const SystemError& error) {
    log_warning("flows stay in a lane that is down", {{"error", error.what()}});
  }
}

// Before the lane's carrier goes on, and whenever what it carries changes.
void Link::path_mtu_changed() {
  control_socket_.publish();
  adapt_mtu();
}

// The interface has one MTU, so the narrowest path counts.
void Link::adapt_mtu() {
  std::optional<PathCapacity> narrowest;
  for (const auto& lane : lanes_) {
    if (!lane->path() || !lane->session().status(clock()).association) continue;
    if (!narrowest) narrowest = lane->path();
    narrowest->mtu = std::min(narrowest->mtu, lane->path()->mtu);
    narrowest->payload_bytes = std::min(narrowest->payload_bytes, lane->path()->payload_bytes);
  }
  if (!narrowest) return;
  path_mtu_ = narrowest->mtu;
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

void Link::state_changed(LaneControl&, session::Phase phase, const session::Reason& reason) {
  control_socket_.publish();
  if (verdict_at_ && (phase == session::Phase::up || phase == session::Phase::backing_off))
    ignore_linkdown_routes();
  const session::SessionStatus session = speaker().session().status(clock());
  const std::string state(session::public_state(session.phase));
  if (state == announced_) return log_debug(std::string(name_of(phase)), {{"reason", reason.text}});
  announced_ = state;
  announced_at_ = clock();
  announce(state, session);
  if (session.phase == session::Phase::up) warn_of_expiry();
  // A handshake is much code for once in an hour.
  if (session.phase == session::Phase::up) host::forget_code_run_so_far();
}

}  // namespace routevpn::link
