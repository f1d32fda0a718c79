// The associations of a session: made, confirmed, kept for stragglers, wiped.

#include <algorithm>

#include "routevpn/session/restart_hint.hpp"
#include "routevpn/session/session.hpp"

namespace routevpn::session {

void Session::send_handshake(ConstBytes datagram, const outside::Endpoint& to) {
  surroundings_.send_handshake(datagram, to);
}

datapath::AssociationId Session::established(const dtls::Established& established,
                                             const outside::Endpoint& peer, Time now) {
  const datapath::AssociationId id = ++last_id_;
  const auto best = record::best_backend(established.suite);
  // ipsec-mb has no ChaCha20-Poly1305 of ours; asked for, it is for AES-GCM.
  const bool aes = established.suite != record::CipherSuite::chacha20_poly1305;
  const auto backend = aes ? settings_.backend.value_or(best) : best;
  const bool initiator = established.role == Role::initiator;
  surroundings_.command(datapath::InstallAssociation{
      std::make_unique<datapath::Association>(id, established, backend, peer, settings_.limits),
      initiator});
  Known known{id,
              {established.peer, established.cipher_name, established.suite, backend,
               established.control_messages, peer, now},
              false,
              std::nullopt,
              std::nullopt};
  if (!initiator && !established.control_messages) known.speak_at = now + silent_peer_time;
  // Beside one in use it goes again unless it proves itself.
  if (current_id_ != 0) known.retire_at = now + straggler_time;
  known_.push_back(std::move(known));
  ++status_.handshakes;

  apply(Event::established, {"confirming", "authenticated, waiting for the first answer"}, now);
  if (initiator && established.control_messages) {
    prober_.begin(now);
    send_probe(now);
  } else if (initiator) {
    confirm(id, now);  // the acceptor's Finished is the only proof of life a plain peer owes us
  }
  return id;
}

void Session::handshake_failed(const dtls::HandshakeFailure& failure, const outside::Endpoint& peer,
                               Time now) {
  surroundings_.handshake_failed(peer.remote, failure);
  const std::string text = peer.remote.to_string() + ": " + failure.text;
  // An acceptor's state does not hang on a stranger's failed attempt.
  if (settings_.role == Role::acceptor) return;
  if (current() != nullptr) status_.renewal_failure = text;
  apply(Event::handshake_failed, {std::string(name_of(failure.reason)), text}, now);
}

bool Session::is_peer(const IpAddress& address) const {
  const Known* const known = current();
  return known != nullptr && known->status.endpoint.remote.address == address;
}

void Session::confirm(datapath::AssociationId id, Time now) {
  Known* const known = find(id);
  if (known == nullptr || known->confirmed) return;
  known->confirmed = true;
  known->speak_at.reset();
  known->retire_at.reset();
  doubt_.reset();
  next_doubt_ = {};  // of the one before it
  handshakes_.finish(id);
  if (id < current_id_) {  // overtaken by a newer one before its first record came
    known->retire_at = now + straggler_time;
    return;
  }
  if (current_id_ != 0) ++status_.renewals;
  status_.renewal_failure.clear();
  current_id_ = id;
  for (Known& older : known_) {
    if (older.id < id && !older.retire_at) older.retire_at = now + straggler_time;
  }
  renew_at_.reset();
  if (settings_.role == Role::initiator) renew_at_ = now + settings_.rekey;
  backoff_.reset();
  candidates_.clear();
  if (known->status.control_messages && settings_.role == Role::acceptor) prober_.begin(now);
  if (!known->status.control_messages) prober_.end();
  follow_path(*known, now);
  confirmed(now);
}

void Session::confirmed(Time now) {
  const Duration delay = damper_.delay(now);
  if (delay == Duration::zero()) {
    return apply(Event::confirmed, {"connected", "connected"}, now);
  }
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
  const unsigned flaps = damper_.flaps(now);
  apply(Event::confirmed_early,
        {"damped", "connected; after " + std::to_string(flaps) + (flaps == 1 ? " flap" : " flaps") +
                       " the carrier waits for " + std::to_string(ms) + " ms without another"},
        now);
}

void Session::on_lane_event(const datapath::LaneEvent& event, Time now) {
  if (std::holds_alternative<datapath::AssociationConfirmed>(event.what))
    return confirm(event.id, now);
  if (const auto* const echo = std::get_if<datapath::EchoReplied>(&event.what)) {
    if ((echo->sequence & datapath::path_probe) == 0) {
      prober_.answered(echo->sequence, echo->received, echo->round_trip, now);
      end_damping(now);
    } else if (path_mtu_.answered(echo->sequence & ~datapath::path_probe, now)) {
      tell_path_mtu();
    }
    return;
  }
  if (const auto* const stray = std::get_if<datapath::RecordWithoutKeys>(&event.what)) {
    const bool waits = status_.phase == Phase::waiting && known_.empty();
    if (waits && handshakes_.give_restart_hint(stray->from, now)) ++status_.hints_given;
    return;
  }
  if (const auto* const too_big = std::get_if<datapath::DatagramTooBig>(&event.what)) {
    return datagram_too_big(too_big->news, now);
  }
  Known* const known = find(event.id);
  if (const auto* const moved = std::get_if<datapath::PeerMoved>(&event.what);
      moved && known != nullptr) {
    if (known->status.endpoint.remote != moved->to.remote) {
      ++status_.moves;
      prober_.forget_path();
    }
    known->status.endpoint = moved->to;
    if (event.id == current_id_ && path_remote_ != moved->to.remote) follow_path(*known, now);
    return;
  }
  // What is left concerns the association in use, or the one about to be.
  if (known == nullptr || event.id < current_id_) return;
  if (const auto* const alert = std::get_if<datapath::AlertReceived>(&event.what)) {
    on_alert(*known, *alert, now);
  } else if (std::holds_alternative<datapath::RenewalDue>(event.what) ||
             std::holds_alternative<datapath::RenewalRequested>(event.what)) {
    apply(Event::renewal_due, status_.reason, now);
  } else if (std::holds_alternative<datapath::LimitReached>(event.what)) {
    std::string text = "the association may carry no more records";
    const std::string& failure = status_.renewal_failure;
    if (!failure.empty()) text += ", and its renewal failed: " + failure;
    apply(Event::limit_reached, {"record_limit", std::move(text)}, now);
  }
}

void Session::on_alert(Known& known, const datapath::AlertReceived& alert, Time now) {
  const bool closing = alert.description == datapath::alert_close_notify;
  if (!closing && alert.level != datapath::alert_fatal) return;  // a warning
  if (!closing && current() != nullptr && !known.confirmed) {
    // A renewal that failed at the peer's end only: the association in use is as good as before.
    known.retire_at = now;
    return retire_old(now);
  }
  const std::string text = closing
                               ? "the peer closed the association"
                               : "the peer sent fatal alert " + std::to_string(alert.description);
  apply(Event::peer_closed, {"peer_closed", text}, now);
}

void Session::send_probe(Time now) {
  surroundings_.command(
      datapath::SendControl{{datapath::ControlMessage::Kind::echo_request, prober_.send(now)}});
  check_path(now);
}

std::optional<Time> Session::silence_at() const {
  if (known_.empty()) return std::nullopt;
  const Known& newest = known_.back();
  // A plain peer cannot be asked, and owes us nothing: its silence means nothing.
  if (!newest.status.control_messages && newest.confirmed) return std::nullopt;
  return std::max(surroundings_.last_heard(), newest.status.established) + settings_.dead_after;
}

// Anybody may have sent it. What it can bring about is therefore little, and less where the peer is
// alive: one probe, and one handshake only when nothing authentic comes in answer.
void Session::take_restart_hint(const SocketAddress& from, Time now) {
  const Known* const known = current();
  const bool plausible = settings_.role == Role::initiator && known != nullptr &&
                         known->status.endpoint.remote == from &&
                         (!handshakes_.initiating() || handshakes_.heard());
  if (!plausible || doubt_ || now < next_doubt_) return drops_.add(Drop::plaintext_alert);
  next_doubt_ = now + restart_hint_interval;
  doubt_ = Doubt{now, now + std::max(prober_.patience(), least_doubt)};
  if (known->status.control_messages) send_probe(now);
}

void Session::end_doubt(Time now) {
  if (!doubt_ || now < doubt_->until) return;
  const bool alive = surroundings_.last_heard() > doubt_->since;
  doubt_.reset();
  if (alive) return drops_.add(Drop::plaintext_alert);
  ++status_.hints_taken;
  handshakes_.abandon();  // one that was under way was with the process before
  apply(Event::renewal_due, status_.reason, now);
}

void Session::speak_to_silent_peers(Time now) {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    Known& known = known_[i];
    if (!known.speak_at || now < *known.speak_at) continue;
    const Time since = *known.speak_at - silent_peer_time;
    known.speak_at.reset();
    if (handshakes_.repeated_since(known.id, since)) {
      known.speak_at = now + silent_peer_time;
    } else {
      surroundings_.command(datapath::ActivateAssociation{known.id});
      confirm(known.id, now);
    }
  }
}

void Session::retire_old(Time now) {
  bool newer_retired = false;
  std::erase_if(known_, [&](const Known& known) {
    const bool retired = known.retire_at && now >= *known.retire_at;
    if (retired) surroundings_.command(datapath::RetireAssociation{known.id});
    newer_retired = newer_retired || (retired && known.id > current_id_);
    return retired;
  });
  if (!newer_retired || current_id_ == 0) return;
  // The lane has sealed with the one that did not prove itself.
  surroundings_.command(datapath::ActivateAssociation{current_id_});
  if (settings_.role == Role::initiator && !renew_at_) renew_at_ = now + backoff_.next();
}

// A stolen key must not keep its tunnel until it is to be renewed, which its thief need not do.
void Session::end_revoked(const dtls::Identity& identity, Time now) {
  for (Known& known : known_) {
    const auto& peer = known.status.peer;
    if (!identity.revokes(peer)) continue;
    if (current_id_ == 0 || known.id == current_id_) {
      return apply(Event::peer_revoked,
                   {"peer_revoked", "the certificate of " + peer.name + " was revoked"}, now);
    }
    known.retire_at = now;
  }
  retire_old(now);
}

void Session::drop_associations() {
  for (const Known& known : known_) surroundings_.command(datapath::RetireAssociation{known.id});
  known_.clear();
  current_id_ = 0;
  prober_.end();
  path_mtu_.end();
  check_at_.reset();
  renew_at_.reset();
  doubt_.reset();
  status_.renewal_failure.clear();
  // A handshake that the peer has begun goes on: it is how it comes back.
  if (settings_.role == Role::initiator) handshakes_.abandon();
}

Session::Known* Session::find(datapath::AssociationId id) {
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [id](const Known& known) { return known.id == id; });
  return found == known_.end() ? nullptr : &*found;
}

const Session::Known* Session::current() const {
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [this](const Known& known) { return known.id == current_id_; });
  return found == known_.end() ? nullptr : &*found;
}

}  // namespace routevpn::session
