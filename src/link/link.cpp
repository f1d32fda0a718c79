#include "routevpn/link/link.hpp"

#include <csignal>
#include <random>

#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "routevpn/base/log.hpp"
#include "routevpn/host/notify.hpp"
#include "routevpn/link/mtu.hpp"
#include "routevpn/link/status.hpp"

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

Fd open_eventfd() {
  Fd fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd) throw system_error("eventfd");
  return fd;
}

SessionSettings session_settings(const cli::LinkOptions& options) {
  SessionSettings settings;
  settings.role = options.peers.empty() ? Role::acceptor : Role::initiator;
  for (const auto& peer : options.peers) settings.peers.push_back({peer.host, peer.port});
  settings.allowed = options.allow;
  settings.keepalive = options.keepalive;
  settings.dead_after = options.dead_after;
  settings.rekey = options.rekey;
  settings.limits.renew_after = options.rekey_records;
  if (options.crypto == cli::Crypto::openssl) settings.backend = record::CryptoBackend::openssl;
  if (options.crypto == cli::Crypto::ipsec_mb) settings.backend = record::CryptoBackend::ipsec_mb;
  settings.seed = std::random_device{}();
  return settings;
}

std::string link_name(const cli::LinkOptions& options, const inside::Tun& tun) {
  return options.link.empty() ? tun.name() : options.link;
}

}  // namespace

Link::Link(const cli::LinkOptions& options, std::shared_ptr<const dtls::Identity> identity,
           Ends ends)
    : options_(options),
      ends_(std::move(ends)),
      public_scope_(ends_.public_netns),
      mtu_(ends_.mtu),
      signals_(open_signals()),
      mailbox_wakeup_(open_eventfd()),
      hook_(options.on_state),
      session_(session_settings(options), std::move(identity), *this, control_drops_),
      lane_(mailbox_, lane_counters_, ends_.tun, ends_.socket, mtu_, mailbox_wakeup_.get()),
      control_socket_(loop_, options.run_dir, link_name(options, ends_.tun),
                      [this] { return status(); }) {
  loop_.watch(signals_.get(), [this] { on_signal(); });
  loop_.watch(mailbox_wakeup_.get(), [this] { on_mailbox(); });
  loop_.watch(resolver_.fd(), [this] { on_resolved(); });
}

Link::~Link() {
  lane_.stop();
  if (lane_thread_.joinable()) lane_thread_.join();
}

Exit Link::run() {
  lane_thread_ = std::thread([this] { lane_.run(); });
  log_info("interface is ready", {{"ifname", ends_.tun.name()},
                                  {"listening", ends_.socket.local().to_string()},
                                  {"mtu", std::to_string(mtu_)}});
  host::notify("READY=1");
  session_.start(clock());
  while (!stop_at_ || clock() < *stop_at_) {
    loop_.turn(time_to_wait());
    const Time now = clock();
    if (goodbye_at_ && now >= *goodbye_at_) {
      session_.tell_again();
      goodbye_at_ = now + drain_time / goodbyes;
    }
    if (const auto deadline = session_.deadline(); deadline && now >= *deadline) {
      session_.on_timer(now);
    }
  }
  return exit_;
}

std::optional<Duration> Link::time_to_wait() const {
  std::optional<Time> first = session_.deadline();
  for (const auto& other : {stop_at_, goodbye_at_}) {
    if (other && (!first || *other < *first)) first = other;
  }
  if (!first) return std::nullopt;
  return std::max(*first - clock(), Duration::zero());
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
  const bool has_peer = session_.status(now).association.has_value();
  session_.stop(now);
  stop_at_ = has_peer ? now + drain_time : now;
  if (has_peer) goodbye_at_ = now + drain_time / goodbyes;
}

void Link::reload() {
  try {
    auto identity =
        dtls::Identity::load({options_.certificate, options_.key, options_.ca, options_.crl},
                             {options_.peer_name, options_.ciphers});
    session_.replace_identity(std::move(identity), clock());
    log_info("certificates were loaded again");
  } catch (const std::exception& error) {
    log_error("reload failed, the old certificates stay in force", {{"error", error.what()}});
  }
}

void Link::on_mailbox() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(mailbox_wakeup_.get(), &count, sizeof count);
  const Time now = clock();
  while (const LaneEvent* const event = mailbox_.events.front()) {
    if (std::holds_alternative<InterfaceGone>(event->what)) {
      log_error("the interface is gone", {{"ifname", ends_.tun.name()}});
      begin_stop(Exit::failed);
    }
    session_.on_lane_event(*event, now);
    mailbox_.events.release();
  }
  while (const HandshakeDatagram* const datagram = mailbox_.handshakes.front()) {
    try {
      session_.on_handshake(*datagram, now);
    } catch (const SystemError& error) {  // no memory for it: the link in use goes on
      control_drops_.add(Drop::handshake_failed);
      log_error("handshake refused", {{"error", error.what()}});
    }
    mailbox_.handshakes.release();
  }
}

void Link::on_resolved() {
  const auto answer = resolver_.take();
  if (!answer) return;
  if (answer->addresses.empty()) {
    log_warning("the peer's name does not resolve",
                {{"name", answer->host}, {"error", answer->error}});
  }
  session_.on_resolved(answer->addresses, answer->host + ": " + answer->error, clock());
}

void Link::send_handshake(ConstBytes datagram, const outside::Endpoint& to) {
  // A lost flight is repeated; there is nothing else to do about it here.
  if (ends_.socket.send_one(datagram, to) == outside::SendResult::failed) {
    control_drops_.add(Drop::outside_send_failed);
  }
}

void Link::command(LaneCommand command) {
  LaneCommand* slot = mailbox_.commands.reserve();
  while (slot == nullptr) {  // the lane empties it within one turn
    lane_.wake();
    std::this_thread::yield();
    slot = mailbox_.commands.reserve();
  }
  *slot = std::move(command);
  mailbox_.commands.publish();
  lane_.wake();
}

void Link::resolve(const PeerName& peer) {
  resolver_.ask(peer.host, peer.port);
}

void Link::set_carrier(bool on) {
  if (on) adapt_mtu();
  ends_.tun.set_carrier(on);
  carrier_ = on;
}

void Link::adapt_mtu() {
  const auto association = session_.status(clock()).association;
  if (!association) return;
  const SocketAddress& remote = association->endpoint.remote;
  path_mtu_ = outside::route_mtu(remote, options_.fwmark);
  if (options_.mtu || !path_mtu_) return;
  bool v6 = false;
  for (const auto& address : options_.addresses) v6 = v6 || !address.address.is_v4();
  const unsigned mtu = inside_mtu(*path_mtu_, remote.address.is_v4(), association->suite, v6);
  if (mtu == mtu_) return;
  try {
    ends_.netlink.set_mtu(ends_.tun.name(), mtu);
    mtu_ = mtu;
  } catch (const std::exception& error) {
    log_warning("the interface keeps its MTU", {{"error", error.what()}});
  }
}

void Link::state_changed(Phase phase, const Reason& reason) {
  control_socket_.publish();
  const std::string state(public_state(phase));
  if (state == announced_) return log_debug(std::string(name_of(phase)), {{"reason", reason.text}});
  announced_ = state;
  const auto association = session_.status(clock()).association;
  const std::string peer = association ? association->endpoint.remote.to_string() : "";
  if (association && phase == Phase::up) {
    log_info("up", {{"peer", association->peer.name},
                    {"remote", peer},
                    {"cipher", association->cipher},
                    {"crypto", std::string(name_of(association->backend))},
                    {"mtu", std::to_string(mtu_)}});
  } else {
    log_info(state, {{"reason", reason.text}});
  }
  host::notify("STATUS=" + state + ": " + reason.text);
  hook_.run({{"ROUTEVPN_LINK", control_socket_.link()},
             {"ROUTEVPN_STATE", state},
             {"ROUTEVPN_REASON", reason.word},
             {"ROUTEVPN_PEER", peer}});
}

// A stranger can make handshakes fail; he shall not fill the log with it.
void Link::handshake_failed(const SocketAddress& peer, const dtls::HandshakeFailure& failure) {
  const Time now = clock();
  if (now < next_failure_log_) {
    ++unlogged_failures_;
    return;
  }
  next_failure_log_ = now + std::chrono::seconds(1);
  const std::string others = std::to_string(std::exchange(unlogged_failures_, 0));
  log_warning(
      "handshake failed",
      {{"peer", peer.to_string()}, {"reason", failure.text}, {"others_since_last", others}});
}

Time Link::last_heard() const {
  return lane_counters_.last_heard.load(std::memory_order_relaxed);
}

std::string Link::status() const {
  const Time now = clock();
  const SessionStatus session = session_.status(now);
  SocketAddress local = ends_.socket.local();
  // Bound to every address, the one the peer uses tells more.
  if (session.association && session.association->endpoint.local) {
    local.address = *session.association->endpoint.local;
  }
  const LinkFacts facts{options_, control_socket_.link(), ends_.tun.name(), mtu_, path_mtu_, local,
                        carrier_};
  return status_json(facts, session, lane_counters_, control_drops_, now);
}

}  // namespace routevpn::link
