// The associations of a session: established, confirmed, renewed, roamed, retired.

#include <algorithm>

#include "routevpn/base/error.hpp"
#include "routevpn/base/overloaded.hpp"
#include "routevpn/session/session.hpp"

namespace routevpn::session {

using datapath::AssociationId, datapath::ControlMessage;

void Session::establish(const HandshakeCompleted& completed, Time now) {
  const auto& [id, established, peer] = completed;
  const auto best = record::best_backend(established.suite);
  // libipsec-mb serves AES-GCM only: ChaCha20-Poly1305 takes the best backend.
  const bool aes = established.suite != record::CipherSuite::chacha20_poly1305;
  const auto backend = aes ? settings_.backend.value_or(best) : best;
  const bool initiator = established.role == Role::initiator;
  datapath::DyingGasp gasp;
  try {
    auto association =
        std::make_unique<datapath::Association>(id, established, backend, peer, settings_.limits);
    gasp = association->seal_dying_gasp();
    command(datapath::InstallAssociation{std::move(association), initiator});
  } catch (const SystemError& error) {  // no memory: the association in use stays
    return handshakes_.refuse(completed, error.what());
  }
  auto& entry = associations_.add(id, {established.peer, established.cipher_name, established.suite,
                                       backend, established.control_messages,
                                       established.sparse_flow, peer, now, established.peer_chain});
  entry.gasp = gasp;
  entry.ends_at = end_of(entry.status);
  entry.beside_live = now - last_heard() < settings_.detection.dead_after;
  if (!initiator && !established.control_messages) entry.activate_at = now + activate_after;
  ++status_.handshakes;

  apply(Event::established, {"confirming", "authenticated, waiting for the first answer"}, now);
  if (initiator && established.control_messages) {
    prober_.begin(now);
    send_probe(now);
  } else if (initiator) {
    confirm(id, now);  // a plain acceptor need not send anything after its Finished
  }
}

void Session::handshake_failed(HandshakeFailed failed, Time now) {
  dtls::HandshakeFailure& failure = failed.failure;
  if (failure.cause == dtls::no_answer && obstacle_) {
    Reason obstacle = reason_of(*obstacle_);
    failure.cause = std::move(obstacle.word);
    failure.text = std::move(obstacle.text);
  }
  const std::string word =
      failure.cause.empty() ? std::string(name_of(failure.reason)) : failure.cause;
  const std::string text = failed.peer.to_string() + ": " + failure.text;
  const SocketAddress peer = failed.peer;
  outputs_.emplace_back(std::move(failed));
  if (associations_.current() == nullptr) remember_failure({word, text}, peer, now);
  // A stranger's failed attempt does not change the state of an acceptor.
  if (settings_.role == Role::acceptor) return;
  if (associations_.current() != nullptr) status_.renewal_failure = text;
  apply(Event::handshake_failed, {word, text}, now);
}

// A stranger's failure does not replace one of the acceptor's last peer.
void Session::remember_failure(Reason reason, const std::optional<SocketAddress>& peer, Time now) {
  auto& last = status_.failure;
  const bool of_peer = last && last->peer && last->peer->address == peer_address_;
  if (of_peer && peer && peer->address != peer_address_ && now - last->at < failure_of_peer_stays) {
    return;
  }
  // An initiator has another port after a restart.
  const bool again = last && last->reason.word == reason.word &&
                     last->peer.has_value() == peer.has_value() &&
                     (!peer || last->peer->address == peer->address);
  last = Failure{std::move(reason), peer, now, again ? last->times + 1 : 1};
}

void Session::confirm(AssociationId id, Time now) {
  auto* const entry = associations_.find(id);
  if (entry == nullptr || entry->confirmed) return;
  restart_check_.reset();
  handshakes_.finish(id);
  const auto* const earlier = associations_.current();
  const bool renews = earlier != nullptr;
  if (!associations_.confirm(*entry, now)) return;
  if (renews) take_over(*earlier, *entry, now);
  keep_peer_address();
  keep_gasp();
  if (renews) ++status_.rekeys;
  status_.renewal_failure.clear();
  rekey_at_ = renewal_due(*entry, now);
  backoff_.reset();
  candidates_.clear();
  if (entry->status.control_messages && settings_.role == Role::acceptor) prober_.begin(now);
  if (!entry->status.control_messages) prober_.end();
  confirms_on_route_ = true;
  path_.follow(entry->status);
  sparse_probes_.begin(settings_.role == Role::initiator && entry->status.sparse_flow, now);
}

void Session::on_route(const SocketAddress& remote, const outside::RouteMtu& route, Time now) {
  path_.on_route(remote, route, now);
  if (std::exchange(confirms_on_route_, false)) confirmed(now);
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
  const auto rekey_due = [&] {
    if (concerns_live(event.id)) apply(Event::rekey_due, status_.reason, now);
  };
  std::visit(
      Overloaded{
          [](std::monostate) {},
          [](const datapath::InterfaceGone&) {},  // concerns the link
          [&](const datapath::AssociationConfirmed&) { confirm(event.id, now); },
          [&](const datapath::EchoReplied& echo) { echo_replied(echo, now); },
          [&](const datapath::EchoMissing& echo) {
            prober_.unanswered(echo.sequence, echo.sent, now);
          },
          [&](const datapath::RequestMissing&) { prober_.request_missing(now); },
          [&](const datapath::RekeyRequested&) { rekey_due(); },
          [&](const datapath::RekeyDue&) { rekey_due(); },
          [&](const datapath::LimitReached&) {
            if (concerns_live(event.id)) limit_reached(now);
          },
          [&](const datapath::AlertReceived& alert) {
            if (concerns_live(event.id)) alert_received(event.id, alert, now);
          },
          [&](const datapath::PeerRoamed& roamed) { peer_roamed(event.id, roamed.to); },
          [&](const datapath::SparseFlowChanged& flow) { sparse_changed(flow.to, now); },
          [&](const datapath::DatagramTooBig& too_big) { path_.too_big(too_big.report, now); },
          [&](const datapath::DatagramUndelivered& lost) { on_undelivered(lost.report, now); },
          [&](const datapath::RecordWithoutKeys& record) {
            const bool waits = status_.phase == Phase::waiting && associations_.empty();
            if (waits && handshakes_.send_restart_hint(record.from, now)) ++status_.hints_given;
          },
      },
      event.what);
}

bool Session::concerns_live(AssociationId id) {
  return id >= associations_.current_id() && associations_.find(id) != nullptr;
}

void Session::echo_replied(const datapath::EchoReplied& echo, Time now) {
  if ((echo.sequence & datapath::path_probe) != 0) {
    return path_.echo_replied(echo.sequence & ~datapath::path_probe, now);
  }
  prober_.answered(echo.sequence, echo.received, echo.round_trip, now, echo.sent);
  end_damping(now);
}

void Session::peer_roamed(AssociationId id, const outside::Endpoint& to) {
  auto* const entry = associations_.find(id);
  if (entry == nullptr) return;
  if (entry->status.endpoint.remote != to.remote) {
    ++status_.roams;
    prober_.reset_path();
  }
  entry->status.endpoint = to;
  keep_peer_address();
  if (id == associations_.current_id()) keep_gasp();
  if (id == associations_.current_id() && !path_.follows(to.remote)) path_.follow(entry->status);
}

void Session::sparse_changed(const std::optional<outside::Endpoint>& to, Time now) {
  if (associations_.current() == nullptr) return;
  status_.sparse = to;
  sparse_probes_.found(to.has_value(), now);
  if (to && settings_.role == Role::acceptor) outputs_.emplace_back(ConnectSparse{to->remote});
}

void Session::keep_gasp() {
  // There is none after an orderly stop: the peer was told.
  const auto* const current = status_.phase == Phase::stopped ? nullptr : associations_.current();
  if (current == nullptr && !std::exchange(gasp_is_kept_, false)) return;
  outputs_.push_back(current == nullptr ? KeepGasp{}
                                        : KeepGasp{current->gasp, current->status.endpoint});
  gasp_is_kept_ = current != nullptr;
}

// It stays in force when the association ends: the peer returns to its place.
void Session::keep_peer_address() {
  const auto* const current = associations_.current();
  if (settings_.role == Role::initiator || current == nullptr) return;
  const IpAddress& address = current->status.endpoint.remote.address;
  if (peer_address_ == address) return;
  remember_peer(address);
  outputs_.emplace_back(PeerRemembered{address});
}

void Session::alert_received(AssociationId id, const datapath::AlertReceived& alert, Time now) {
  const bool closing = alert.description == datapath::alert_close_notify;
  if (!closing && alert.level != datapath::alert_fatal) return;  // a warning
  auto* const entry = associations_.find(id);
  if (!closing && associations_.current() != nullptr && !entry->confirmed) {
    // The peer refused the new association; the one in use is not affected.
    entry->retire_at = now;
    return retire(now);
  }
  const bool usable = entry->confirmed && entry->status.control_messages;
  if (usable && alert.description == alert_access_denied) return lose_to_another(*entry, now);
  const std::string text = alert.is_gasp ? "the peer's worker has died"
                           : closing
                               ? "the peer closed the association"
                               : "the peer sent fatal alert " + std::to_string(alert.description);
  apply(Event::peer_closed, {"peer_closed", text}, now);
  // The peer's monitor keeps the socket, so a hello waits there for the next worker.
  if (alert.is_gasp && status_.phase == Phase::backing_off) retry_at_ = now + retry_after_gasp;
}

void Session::limit_reached(Time now) {
  apply(Event::limit_reached,
        {"record_limit", with_renewal_failure("the association may carry no more records")}, now);
}

std::string Session::with_renewal_failure(std::string text) const {
  const std::string& failure = status_.renewal_failure;
  if (!failure.empty()) text += ", and its rekey failed: " + failure;
  return text;
}

void Session::begin_rekey(Time now) {
  rekey_at_.reset();
  const auto* const current = associations_.current();
  if (current != nullptr && !handshakes_.initiating()) {
    obstacle_.reset();
    handshakes_.initiate(current->status.endpoint, now);
  }
}

// The acceptor asks again until there is a new association. A plain peer cannot be asked.
void Session::request_rekey(Time now) {
  command(datapath::SendControl{{ControlMessage::Kind::rekey_request}});
  if (associations_.current()->status.control_messages) rekey_at_ = now + backoff_.next();
}

// A plain peer that retransmits its last flight has no keys yet. One that is silent waits for data.
void Session::activate_silent(Time now) {
  std::vector<AssociationId> silent;
  for (auto& entry : associations_.entries()) {
    if (!entry.activate_at || now < *entry.activate_at) continue;
    if (handshakes_.retransmitted_since(entry.id, *entry.activate_at - activate_after)) {
      entry.activate_at = now + activate_after;
    } else {
      silent.push_back(entry.id);
    }
  }
  for (const AssociationId id : silent) {
    command(datapath::ActivateAssociation{id});
    confirm(id, now);
  }
}

void Session::retire(Time now) {
  bool newer_retired = false;
  for (const AssociationId id : associations_.retire(now)) {
    command(datapath::RetireAssociation{id});
    newer_retired = newer_retired || id > associations_.current_id();
  }
  if (!newer_retired || associations_.current_id() == 0) return;
  // The lane has sealed with an association that the peer never confirmed.
  command(datapath::ActivateAssociation{associations_.current_id()});
  if (settings_.role == Role::initiator && !rekey_at_) rekey_at_ = now + backoff_.next();
}

void Session::drop_associations() {
  for (const auto& entry : associations_.entries()) {
    command(datapath::RetireAssociation{entry.id});
  }
  associations_.clear();
  keep_gasp();
  prober_.end();
  sparse_probes_.end();
  status_.sparse.reset();
  path_.end();
  confirms_on_route_ = false;
  rekey_at_.reset();
  restart_check_.reset();
  status_.renewal_failure.clear();
  // An acceptor keeps the handshake that the peer has begun: it brings the link back.
  if (settings_.role == Role::initiator) handshakes_.abandon();
}

}  // namespace routevpn::session
