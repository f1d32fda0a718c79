// Everything in a session that waits for a time.

#include "routevpn/session/session.hpp"

namespace routevpn::session {

const std::vector<Session::Timer> Session::timers = {
    {[](const Session& s) { return s.handshakes_.deadline(); },
     [](Session& s, Time now) { s.handshakes_.on_timer(now); }},
    {[](const Session& s) { return s.associations_.end_due(); },
     [](Session& s, Time now) { s.end_overdue(now); }},
    {[](const Session& s) { return s.associations_.retire_due(); },
     [](Session& s, Time now) { s.retire(now); }},
    {[](const Session& s) { return s.restart_check_.due(); },
     [](Session& s, Time now) { s.end_restart_check(now); }},
    {[](const Session& s) { return s.associations_.activate_due(); },
     [](Session& s, Time now) { s.activate_silent(now); }},
    {[](const Session& s) { return s.silence_at(); },
     [](Session& s, Time now) {
       if (!s.prober_.gives_up(now)) return;
       s.apply(Event::silence, {"silence", "nothing heard from the peer"}, now);
     }},
    {[](const Session& s) { return s.retry_at_; },
     [](Session& s, Time now) {
       s.retry_at_.reset();
       s.apply(s.candidates_.empty() ? Event::retry_due : Event::retry_next_address,
               s.status_.reason, now);
     }},
    {[](const Session& s) { return s.rekey_at_; },
     [](Session& s, Time now) {
       s.rekey_at_.reset();
       s.apply(Event::rekey_due, s.status_.reason, now);
     }},
    {[](const Session& s) { return s.stable_at_; },
     [](Session& s, Time now) { s.end_damping(now); }},
    {[](const Session& s) { return s.prober_.due(); },
     [](Session& s, Time now) {
       if (!s.prober_.is_answered_by(s.last_heard(), now) && !s.is_spared(now)) s.send_probe(now);
     }},
    {[](const Session& s) { return s.sparse_probes_.due(); },
     [](Session& s, Time now) {
       s.sparse_probes_.sent(now);
       s.command(datapath::ProbeSparseFlow{});
     }},
    {[](const Session& s) { return s.path_.check_due(); },
     [](Session& s, Time now) { s.path_.check(now); }},
    {[](const Session& s) { return s.path_.probe_due(); },
     [](Session& s, Time now) { s.path_.probe(s.prober_.status(now), now); }},
};

void Session::on_timer(Time now) {
  for (const Timer& timer : timers) {
    if (status_.phase == Phase::stopped) return;
    if (const auto due = timer.due(*this); due && now >= *due) timer.fire(*this, now);
  }
}

std::optional<Time> Session::deadline() const {
  std::optional<Time> first;
  if (status_.phase == Phase::stopped) return first;
  for (const Timer& timer : timers) {
    const auto due = timer.due(*this);
    if (due && (!first || *due < *first)) first = due;
  }
  return first;
}

}  // namespace routevpn::session
