#include "routevpn/session/session.hpp"

#include <algorithm>
#include <cerrno>

#include "routevpn/base/error.hpp"
#include "routevpn/base/overloaded.hpp"

namespace routevpn::session {

using datapath::ControlMessage;

SessionSettings SessionSettings::of(const options::LinkOptions& options, unsigned lane,
                                    std::uint64_t seed) {
  auto peers = options.peers;
  for (auto& peer : peers) peer.port = static_cast<std::uint16_t>(peer.port + lane);
  return {peers.empty() ? Role::acceptor : Role::initiator,
          std::move(peers),
          options.allow,
          Detection::of(options),
          options.up_delay,
          options.rekey,
          {options.rekey_records},
          options.crypto,
          seed,
          lane};
}

Session::Session(SessionSettings settings, std::shared_ptr<const dtls::Identity> identity,
                 const datapath::LaneCounters& lane, DropCounters& drops)
    : settings_(std::move(settings)),
      lane_(lane),
      drops_(drops),
      handshakes_(settings_.role, std::move(identity), settings_.allowed, drops, settings_.lane),
      path_(settings_.detection.path_check, lane.tx_large, outputs_),
      prober_(settings_.detection, std::min<Duration>(settings_.detection.keepalive / 4,
                                                      dtls::Handshake::first_retransmission)),
      // A preset's keepalives are for the detection. One set by hand can be for a NAT.
      sparse_probes_(settings_.detection.burst > 0 ? SparseProbes::most_keepalive
                                                   : settings_.detection.keepalive),
      backoff_(settings_.seed),
      damper_(settings_.up_delay) {}

// A completed handshake installs its keys in outputs_ before its last flight is taken.
std::optional<Output> Session::take_output(Time now) {
  while (outputs_.empty()) {
    auto event = handshakes_.take_event();
    if (!event) return std::nullopt;
    std::visit(Overloaded{
                   [&](SendHandshake& flight) { outputs_.emplace_back(std::move(flight)); },
                   [&](const HandshakeCompleted& completed) { establish(completed, now); },
                   [&](HandshakeFailed& failed) { handshake_failed(std::move(failed), now); },
               },
               *event);
  }
  Output output = std::move(outputs_.front());
  outputs_.pop_front();
  return output;
}

void Session::remember_peer(const IpAddress& address) {
  peer_address_ = address;
  handshakes_.remember_peer(address);
  command(datapath::ExpectPeer{address});
}

void Session::start(Time now) {
  status_.since = now;
  apply(Event::start,
        settings_.role == Role::acceptor ? Reason{"waiting", "waiting for the peer"}
                                         : Reason{"starting", "starting"},
        now);
}

void Session::stop(Time now) {
  apply(Event::stop, {"stopped", "stopped as asked"}, now);
  keep_gasp();
}

void Session::repeat_close_notify() {
  command(datapath::SendAlert{datapath::alert_warning, datapath::alert_close_notify});
}

void Session::replace_identity(std::shared_ptr<const dtls::Identity> identity, Time now) {
  end_refused(*identity, now);
  handshakes_.replace_identity(std::move(identity));
  if (associations_.current() != nullptr) {
    return apply(Event::rekey_due, status_.reason, now);
  }
  if (status_.phase == Phase::handshaking && status_.attempted) {
    handshakes_.initiate({*status_.attempted, std::nullopt}, now);
  }
}

// While attempts follow each other, the reason is that of the last failure.
Reason Session::meanwhile(const Reason& reason) const {
  return status_.failure ? status_.failure->reason : reason;
}

// The one place where the phase changes.
void Session::apply(Event event, Reason reason, Time now) {
  const Transition transition = step(settings_.role, status_.phase, event);
  if (!transition.expected) {
    ++status_.unexpected_events;
    return;
  }
  const bool changed = transition.next != status_.phase;
  if (changed) enter(transition.next, std::move(reason), now);
  for (const Action action : transition.actions) act(action, now);
  if (changed) outputs_.emplace_back(StateChanged{status_.phase, status_.reason});
}

void Session::enter(Phase phase, Reason reason, Time now) {
  if (status_.phase == Phase::up && phase != Phase::stopped) {
    ++status_.flaps;
    damper_.carrier_lost(now);
  }
  if (status_.phase == Phase::damped) {
    status_.damping.reset();
    stable_at_.reset();
    if (phase != Phase::up) damper_.failed_again(now);
  }
  const auto* const lost = associations_.current();
  if (lost != nullptr && (phase == Phase::backing_off || phase == Phase::waiting)) {
    remember_failure(reason, lost->status.endpoint.remote, now);
  }
  // Users see three states: further attempts do not change the time of the last change.
  if (public_state(phase) != public_state(status_.phase)) status_.since = now;
  if (phase == Phase::up) status_.failure.reset();
  status_.phase = phase;
  status_.reason = std::move(reason);
}

void Session::act(Action action, Time now) {
  switch (action) {
    case Action::resolve:
      outputs_.emplace_back(Resolve{settings_.peers[next_peer_]});
      next_peer_ = (next_peer_ + 1) % settings_.peers.size();
      return;
    case Action::begin_handshake:
      return begin_attempt(now);
    case Action::schedule_retry:
      retry_at_ = now + backoff_.next();
      return;
    case Action::carrier_on:
      return set_carrier(true);
    case Action::carrier_off:
      return set_carrier(false);
    case Action::hold_carrier:
      return hold_carrier(now);
    case Action::tell_peer:
      return repeat_close_notify();
    case Action::drop_associations:
      return drop_associations();
    case Action::begin_rekey:
      return begin_rekey(now);
    case Action::request_rekey:
      return request_rekey(now);
    case Action::schedule_rekey:
      rekey_at_ = now + backoff_.next();
      return;
  }
}

void Session::set_carrier(bool on) {
  if (std::exchange(carrier_, on) == on) return;
  outputs_.push_back(on ? Output(CarrierOn{}) : Output(CarrierOff{}));
}

void Session::on_resolved(const std::vector<SocketAddress>& addresses, const std::string& error,
                          Time now) {
  if (status_.phase != Phase::resolving) return;
  if (addresses.empty()) {
    remember_failure({"resolve_failed", error}, std::nullopt, now);
    return apply(Event::resolve_failed, {"resolve_failed", error}, now);
  }
  candidates_.assign(addresses.begin(), addresses.end());
  apply(Event::resolved, meanwhile({"handshaking", "connecting"}), now);
}

void Session::begin_attempt(Time now) {
  const SocketAddress peer = candidates_.front();
  candidates_.pop_front();
  status_.attempted = peer;
  obstacle_ = std::exchange(late_obstacle_, std::nullopt);
  if (obstacle_ && obstacle_->to != peer) obstacle_.reset();
  command(datapath::ExpectPeer{peer.address});
  handshakes_.initiate({peer, std::nullopt}, now);
}

void Session::on_handshake(const datapath::HandshakeDatagram& datagram, Time now) {
  if (status_.phase == Phase::stopped) return;
  const auto opened =
      handshakes_.open(ConstBytes(datagram.bytes).first(datagram.length), datagram.from, now);
  if (opened.fault) return;
  if (is_restart_hint(opened.datagram)) return follow_restart_hint(datagram.from.remote, now);
  handshakes_.receive(opened.datagram, datagram.from, now, opened.key);
}

// A router looks for the peer's host for 3 s (RFC 4861 section 10) before it reports that there is
// none. An attempt without an answer ends after 2 s, so the report may come between two attempts.
// Such a report explains the last attempt, and also the next one, whose own report comes as late.
void Session::on_undelivered(const outside::Undelivered& report, Time now) {
  if (status_.attempted == report.to) {
    const bool between = status_.phase == Phase::backing_off || status_.phase == Phase::resolving;
    (between ? late_obstacle_ : obstacle_) = report;
    if (between) explain_last_failure(report);
  }
  const auto* const current = associations_.current();
  const bool no_port = report.error == ECONNREFUSED && report.reporter == report.to.address;
  if (no_port && current != nullptr && current->status.endpoint.remote == report.to) {
    prober_.suspect(now);
  }
}

void Session::explain_last_failure(const outside::Undelivered& report) {
  auto& last = status_.failure;
  if (!last || last->reason.word != dtls::no_answer || last->peer != report.to) return;
  Reason found = reason_of(report);
  outputs_.emplace_back(
      HandshakeFailed{report.to, {Drop::handshake_timed_out, found.text, found.word}});
  status_.reason = {std::move(found.word), report.to.to_string() + ": " + found.text};
  last->reason = status_.reason;
  last->times = 1;
  outputs_.emplace_back(StateChanged{status_.phase, status_.reason});
}

void Session::hold_carrier(Time now) {
  status_.damping = DampingStatus{now, now + damper_.delay(now), damper_.flaps(now)};
  stable_at_ = status_.damping->until;
}

// A peer that owes an answer may be dead again: then its next answer ends the damping.
void Session::end_damping(Time now) {
  if (!status_.damping || now < status_.damping->until) return;
  stable_at_.reset();
  const auto* const current = associations_.current();
  const bool probed = current != nullptr && current->status.control_messages;
  if (probed && now - last_heard() > settings_.detection.keepalive + prober_.timeout()) return;
  apply(Event::stable, {"connected", "connected"}, now);
}

void Session::send_probe(Time now) {
  datapath::SendEcho request{prober_.send(now)};
  if (settings_.role == Role::initiator) {
    request.more = prober_.begin_series();
    request.interval = settings_.detection.keepalive;
    request.patience = prober_.answer_time();
  } else {
    request.asked_within = prober_.asked_within();
  }
  command(request);
  path_.on_keepalive(now);
}

bool Session::is_spared(Time now) {
  return settings_.role == Role::acceptor &&
         prober_.is_spared_by(lane_.last_asked.load(std::memory_order_relaxed), last_heard(), now);
}

std::optional<Time> Session::silence_at() const {
  if (associations_.empty()) return std::nullopt;
  const auto& newest = associations_.newest();
  // A plain peer answers no probe: its silence means nothing.
  if (!newest.status.control_messages && newest.confirmed) return std::nullopt;
  const auto* const current = associations_.current();
  const bool probed = current != nullptr && current->status.control_messages;
  if (probed && settings_.detection.burst > 0) return prober_.gives_up_at(last_heard());
  return std::max(last_heard(), newest.status.established) + settings_.detection.dead_after;
}

// Anyone may have sent the hint. It causes one probe, and a handshake only when the peer is silent.
void Session::follow_restart_hint(const SocketAddress& from, Time now) {
  const auto* const current = associations_.current();
  const bool plausible = settings_.role == Role::initiator && current != nullptr &&
                         current->status.endpoint.remote == from &&
                         (!handshakes_.initiating() || handshakes_.answered());
  if (!plausible || !restart_check_.begin(prober_.timeout(), now)) {
    return drops_.add(Drop::plaintext_alert);
  }
  if (current->status.control_messages) send_probe(now);
}

void Session::end_restart_check(Time now) {
  if (!restart_check_.end(last_heard())) return drops_.add(Drop::plaintext_alert);
  ++status_.hints_taken;
  handshakes_.abandon();  // a handshake in progress was with the process that ended
  apply(Event::rekey_due, status_.reason, now);
}

SessionStatus Session::status(Time now) const {
  SessionStatus status = status_;
  status.takeovers = takeovers_.total();
  status.certificate_shared = takeovers_.certificate_shared(now);
  if (const auto* const current = associations_.current()) {
    status.association = current->status;
    status.path = prober_.status(now);
  }
  return status;
}

}  // namespace routevpn::session
