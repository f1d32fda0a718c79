// The hard end of an association: twice --rekey after its handshake, the end of the peer's
// certificate, or new credentials that refuse the peer. A rekey in time replaces it before.

#include <algorithm>

#include "routevpn/base/text.hpp"
#include "routevpn/dtls/recheck.hpp"
#include "routevpn/session/session.hpp"

namespace routevpn::session {

// Associations whose peer may not be trusted any longer end at once. A fault of the association in
// use ends all of them, because the link is lost with it.
void Session::end_faulty(Event event, const FaultOf& fault_of, Time now) {
  for (auto& entry : associations_.entries()) {
    auto fault = fault_of(entry);
    if (!fault) continue;
    if (associations_.current_id() == 0 || entry.id == associations_.current_id()) {
      return apply(event, std::move(*fault), now);
    }
    entry.retire_at = now;
  }
  retire(now);
}

// The holder of a stolen key must lose the association at once: its end need never renew it.
void Session::end_refused(const dtls::Identity& identity, Time now) {
  const auto fault_of = [&](const AssociationTable::Entry& entry) -> std::optional<Reason> {
    auto fault = dtls::recheck(identity, settings_.role, *entry.status.peer_chain);
    if (!fault) return std::nullopt;
    return Reason{fault->revoked ? "peer_revoked" : std::string(name_of(Drop::certificate_refused)),
                  std::move(fault->text)};
  };
  end_faulty(Event::peer_refused, fault_of, now);
}

// Neither a peer that never renews nor an attacker that stops all renewals extends an association.
void Session::end_overdue(Time now) {
  const auto fault_of = [&](const AssociationTable::Entry& entry) -> std::optional<Reason> {
    if (!entry.ends_at || now < *entry.ends_at) return std::nullopt;
    const dtls::CertificateInfo& peer = entry.status.peer;
    if (now < entry.status.established + longest_life_rekeys * settings_.rekey) {
      return Reason{"peer_expired",
                    "the certificate of " + peer.name + " expired at " + rfc3339(peer.not_after)};
    }
    return Reason{"rekey_overdue",
                  with_renewal_failure("the association was not renewed within twice --rekey")};
  };
  end_faulty(Event::expired, fault_of, now);
}

Time Session::end_of(const AssociationStatus& association) const {
  const auto not_after =
      std::chrono::duration_cast<Duration>(association.peer.not_after.time_since_epoch());
  return std::min(association.established + longest_life_rekeys * settings_.rekey,
                  Time(not_after - wall_offset_));
}

void Session::on_wall_clock(std::chrono::system_clock::time_point wall, Time now) {
  const auto since_epoch = std::chrono::duration_cast<Duration>(wall.time_since_epoch());
  const Duration offset = since_epoch - now.time_since_epoch();
  // A smaller difference is the time between the two readings, or a clock that is being slewed.
  if (std::chrono::abs(offset - wall_offset_) < std::chrono::seconds(1)) return;
  wall_offset_ = offset;
  for (auto& entry : associations_.entries()) entry.ends_at = end_of(entry.status);
}

// The initiator renews in the middle of the association's life. The acceptor asks after three
// quarters: the initiator's own --rekey may be longer. A plain peer cannot be asked. The least time
// keeps the renewals few when the peer's certificate is about to expire.
std::optional<Time> Session::renewal_due(const AssociationTable::Entry& entry, Time now) const {
  const bool initiator = settings_.role == Role::initiator;
  if (!initiator && !entry.status.control_messages) return std::nullopt;
  const Duration left = entry.ends_at.value_or(now) - now;
  const Duration least = std::min<Duration>(settings_.rekey, std::chrono::minutes(1));
  return now + std::max(initiator ? left / 2 : left / 4 * 3, least);
}

}  // namespace routevpn::session
