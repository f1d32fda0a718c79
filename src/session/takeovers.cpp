#include "routevpn/session/takeovers.hpp"

#include "routevpn/session/session.hpp"

namespace routevpn::session {

bool Takeovers::count(Time now) {
  times_[count_++ % many] = now;
  const Time earliest = times_[count_ % many];
  if (count_ < many || now - earliest > window) return false;
  shared_until_ = now + memory;
  if (now < next_warning_) return false;
  next_warning_ = now + window;
  return true;
}

// The acceptor's end. A rekey and a restart keep the IP address of the peer.
void Session::take_over(const AssociationTable::Entry& from, const AssociationTable::Entry& to,
                        Time now) {
  const SocketAddress& loser = from.status.endpoint.remote;
  const SocketAddress& winner = to.status.endpoint.remote;
  const bool moved = loser.address != winner.address;
  if (settings_.role == Role::initiator || !to.beside_live || !moved) return;
  command(datapath::SendAlert{datapath::alert_fatal, alert_access_denied, from.id});
  outputs_.emplace_back(TakenOver{to.status.peer.name, loser, winner, takeovers_.count(now)});
}

// The initiator's end.
void Session::lose_to_another(const AssociationTable::Entry& entry, Time now) {
  // This end has moved, and made a newer association before the acceptor knew of the move.
  if (associations_.newest().id != entry.id) return;
  outputs_.emplace_back(TakenOver{"", {}, std::nullopt, takeovers_.count(now)});
  apply(Event::peer_closed,
        {"taken_over", "another gateway with the same certificate took over the link"}, now);
  if (status_.phase == Phase::backing_off) retry_at_ = now + retry_after_takeover;
}

}  // namespace routevpn::session
