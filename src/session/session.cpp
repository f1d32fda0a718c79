#include "routevpn/session/session.hpp"

#include <algorithm>

#include "routevpn/session/restart_hint.hpp"

namespace routevpn::session {

namespace {

void earliest(std::optional<Time>& first, std::optional<Time> candidate) {
  if (candidate && (!first || *candidate < *first)) first = candidate;
}

}  // namespace

Session::Session(SessionSettings settings, std::shared_ptr<const dtls::Identity> identity,
                 Surroundings& surroundings, DropCounters& drops)
    : settings_(std::move(settings)),
      surroundings_(surroundings),
      drops_(drops),
      handshakes_(settings_.role, std::move(identity), settings_.allowed, *this, drops),
      backoff_(settings_.seed),
      prober_(settings_.keepalive,
              std::min<Duration>(settings_.keepalive / 4, dtls::Handshake::first_retransmission)),
      damper_(settings_.up_delay) {
  status_.reason = {"starting", "starting"};
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
}

void Session::tell_again() {
  surroundings_.command(datapath::SendAlert{datapath::alert_warning, datapath::alert_close_notify});
}

void Session::replace_identity(std::shared_ptr<const dtls::Identity> identity, Time now) {
  end_revoked(*identity, now);
  handshakes_.replace_identity(std::move(identity));
  if (current() != nullptr) return apply(Event::renewal_due, status_.reason, now);
  if (status_.phase == Phase::handshaking && status_.attempted) {
    handshakes_.initiate({*status_.attempted, std::nullopt}, now);
  }
}

void Session::apply(Event event, Reason reason, Time now) {
  const Transition transition = step(settings_.role, status_.phase, event);
  if (!transition.expected) {
    ++status_.unexpected_events;
    return;
  }
  for (const Action action : transition.actions) act(action, now);
  if (transition.next != status_.phase) enter(transition.next, std::move(reason), now);
  // Only now, in its new phase, may the session meet an answer that comes at once.
  for (const Action action : transition.actions) {
    if (action == Action::resolve) ask_next_peer(now);
    if (action == Action::begin_handshake) begin_attempt(now);
  }
}

// The one place where the phase changes.
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
  // Users see three states; how often an attempt begins anew does not change since when it is one.
  if (public_state(phase) != public_state(status_.phase)) status_.since = now;
  status_.phase = phase;
  status_.reason = std::move(reason);
  surroundings_.state_changed(status_.phase, status_.reason);
}

void Session::act(Action action, Time now) {
  switch (action) {
    case Action::resolve:
    case Action::begin_handshake:
      break;  // apply()
    case Action::schedule_retry:
      retry_at_ = now + backoff_.next();
      break;
    case Action::carrier_on:
    case Action::carrier_off: {
      const bool on = action == Action::carrier_on;
      if (on != carrier_) surroundings_.set_carrier(on);
      carrier_ = on;
      break;
    }
    case Action::hold_carrier:
      hold_carrier(now);
      break;
    case Action::tell_peer:
      tell_again();
      break;
    case Action::drop_associations:
      drop_associations();
      break;
    case Action::begin_renewal:
      renew_at_.reset();
      if (const Known* const known = current(); known != nullptr && !handshakes_.initiating()) {
        handshakes_.initiate(known->status.endpoint, now);
      }
      break;
    case Action::request_renewal:
      surroundings_.command(
          datapath::SendControl{{datapath::ControlMessage::Kind::renewal_request}});
      // Asked again until there is a new one; a plain peer cannot be asked.
      if (current()->status.control_messages) renew_at_ = now + backoff_.next();
      break;
    case Action::schedule_renewal:
      renew_at_ = now + backoff_.next();
      break;
  }
}

void Session::hold_carrier(Time now) {
  status_.damping = DampingStatus{now, now + damper_.delay(now), damper_.flaps(now)};
  stable_at_ = status_.damping->until;
}

// Not while a peer that owes an answer does not give one: it might be dead again. Then its next
// answer does it.
void Session::end_damping(Time now) {
  if (!status_.damping || now < status_.damping->until) return;
  stable_at_.reset();
  const Known* const known = current();
  const bool asked = known != nullptr && known->status.control_messages;
  if (asked && now - surroundings_.last_heard() > settings_.keepalive + prober_.patience()) return;
  apply(Event::stable, {"connected", "connected"}, now);
}

void Session::ask_next_peer(Time now) {
  if (!candidates_.empty()) return apply(Event::resolved, status_.reason, now);
  const PeerName& peer = settings_.peers[next_peer_];
  next_peer_ = (next_peer_ + 1) % settings_.peers.size();
  surroundings_.resolve(peer);
}

void Session::on_resolved(const std::vector<SocketAddress>& addresses, const std::string& error,
                          Time now) {
  if (status_.phase != Phase::resolving) return;
  if (addresses.empty()) return apply(Event::resolve_failed, {"resolve_failed", error}, now);
  candidates_.assign(addresses.begin(), addresses.end());
  apply(Event::resolved, {"handshaking", "connecting"}, now);
}

void Session::begin_attempt(Time now) {
  const SocketAddress peer = candidates_.front();
  candidates_.pop_front();
  status_.attempted = peer;
  handshakes_.initiate({peer, std::nullopt}, now);
}

void Session::on_handshake(const datapath::HandshakeDatagram& datagram, Time now) {
  if (status_.phase == Phase::stopped) return;
  const auto bytes = ConstBytes(datagram.bytes).first(datagram.length);
  if (is_restart_hint(bytes)) return take_restart_hint(datagram.from.remote, now);
  handshakes_.receive(bytes, datagram.from, now);
}

void Session::on_timer(Time now) {
  if (status_.phase == Phase::stopped) return;
  handshakes_.on_timer(now);
  retire_old(now);
  end_doubt(now);
  speak_to_silent_peers(now);
  if (const auto silent = silence_at(); silent && now >= *silent) {
    apply(Event::silence, {"silence", "nothing heard from the peer for dead-after"}, now);
  }
  if (retry_at_ && now >= *retry_at_) {
    retry_at_.reset();
    apply(Event::retry_due, status_.reason, now);
  }
  if (renew_at_ && now >= *renew_at_) {
    renew_at_.reset();
    apply(Event::renewal_due, status_.reason, now);
  }
  if (stable_at_ && now >= *stable_at_) end_damping(now);
  if (prober_.due() && now >= *prober_.due()) send_probe(now);
  if (check_at_ && now >= *check_at_) check_path(now);
  if (path_mtu_.due() && now >= *path_mtu_.due()) probe_path(now);
}

std::optional<Time> Session::deadline() const {
  if (status_.phase == Phase::stopped) return std::nullopt;
  std::optional<Time> first = handshakes_.deadline();
  earliest(first, retry_at_);
  earliest(first, renew_at_);
  earliest(first, prober_.due());
  earliest(first, path_mtu_.due());
  earliest(first, check_at_);
  earliest(first, silence_at());
  if (doubt_) earliest(first, doubt_->until);
  earliest(first, stable_at_);
  for (const Known& known : known_) {
    earliest(first, known.retire_at);
    earliest(first, known.speak_at);
  }
  return first;
}

SessionStatus Session::status(Time now) const {
  SessionStatus status = status_;
  if (const Known* const known = current()) {
    status.association = known->status;
    status.path = prober_.status(now);
  }
  return status;
}

}  // namespace routevpn::session
