// A session moves to another process.

#include <algorithm>

#include "routevpn/session/session.hpp"

namespace routevpn::session {

bool Session::begin_hand_over(Time now) {
  const Phase phase = status_.phase;
  prober_.end_series();
  if (handshakes_.initiating() && associations_.current() != nullptr) {
    handshakes_.abandon();
    rekey_at_ = now;
  }
  const bool idle = phase == Phase::waiting || phase == Phase::backing_off;
  return idle || phase == Phase::damped || phase == Phase::up;
}

// The options may be others than in the process before: an initiator may have fewer peers, and a
// rekey may be due earlier.
void Session::resume(Time now) {
  if (peer_address_) handshakes_.remember_peer(*peer_address_);
  if (next_peer_ >= settings_.peers.size()) next_peer_ = 0;
  for (auto& entry : associations_.entries()) entry.ends_at = end_of(entry.status);
  const auto* const current = associations_.current();
  if (current == nullptr) return;
  keep_gasp();
  const auto renewal = renewal_due(*current, current->status.established);
  if (prober_.due()) send_probe(now);  // the new lane has no series and no watch
  if (rekey_at_ && renewal) rekey_at_ = std::max(now, std::min(*rekey_at_, *renewal));
}

void Session::recheck_peer(const dtls::Identity& identity, bool renew, Time now) {
  end_refused(identity, now);
  if (renew && associations_.current() != nullptr) apply(Event::rekey_due, status_.reason, now);
}

}  // namespace routevpn::session
