// How a link reports its state: to the log, systemd, the state hook and `routevpn show`.

#include <utility>

#include "routevpn/base/log.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/cage/system_calls.hpp"
#include "routevpn/host/memory.hpp"
#include "routevpn/link/link.hpp"
#include "routevpn/link/status.hpp"

namespace routevpn::link {

// The lane whose state is the link's: one that is up, else one that connects, else the first.
const LaneControl& Link::reporting_lane() const {
  for (const std::string_view state : {"up", "connecting"}) {
    for (const auto& lane : lanes_) {
      if (session::public_state(lane->session().status(read_clock()).phase) == state) return *lane;
    }
  }
  return *lanes_.front();
}

void Link::state_changed(const session::StateChanged& change) {
  control_socket_.publish();
  const bool answered =
      change.phase == session::Phase::up || change.phase == session::Phase::backing_off;
  if (ignore_routes_at_ && answered) ignore_linkdown_routes();
  const session::SessionStatus session = reporting_lane().session().status(read_clock());
  const std::string state(public_state(session.phase));
  if (state == announced_) {
    return log_debug(std::string(name_of(change.phase)), {{"reason", change.reason.text}});
  }
  announced_ = state;
  announced_at_ = read_clock();
  history_.add({*announced_at_, state, session.reason});
  announce(state, session);
  if (session.phase != session::Phase::up) return;
  warn_of_expiry();
  if (const auto call = std::exchange(call_when_up_, nullptr)) call();
  host::release_code_pages();  // the pages of handshake code: it runs once an hour
}

void Link::announce(const std::string& state, const session::SessionStatus& session) {
  const auto& association = session.association;
  const std::string peer = association ? association->endpoint.remote.to_string() : "";
  if (association && session.phase == session::Phase::up) {
    log_info("up", {{"peer", association->peer.name},
                    {"remote", peer},
                    {"cipher", association->cipher},
                    {"crypto", std::string(name_of(association->backend))},
                    {"mtu", std::to_string(mtu_)}});
  } else {
    const auto level = session.reason.word == "record_limit" ? LogLevel::error : LogLevel::info;
    Log::write(level, state, {{"reason", session.reason.text}});
  }
  const auto state_of = [](const std::string& name) {
    if (name == "up") return channel::LinkState::up;
    return name == "down" ? channel::LinkState::down : channel::LinkState::connecting;
  };
  monitor_.tell(channel::Announce{
      state_of(state), channel::Text<32>::of(session.reason.word),
      channel::Text<256>::of(session.reason.text),
      association ? channel::Address::of(association->endpoint.remote) : channel::Address{}});
}

std::vector<Ending> Link::endings() const {
  const auto session = reporting_lane().session().status(read_clock());
  std::optional<dtls::CertificateInfo> peer;
  if (session.association) peer = session.association->peer;
  return endings_of(*identity_, options_.crl, peer);
}

void Link::warn_of_expiry() {
  expiry_at_ = read_clock() + expiry_interval;
  const auto now = std::chrono::system_clock::now();
  for (const auto& ending : endings()) {
    if (end_watch_.warn(ending, now)) {
      log_warning(warning_of(ending, now), {{"end", rfc3339(ending.end)}});
    }
  }
}

// A stranger can make handshakes fail, so the log takes one line a second.
void Link::handshake_failed(const session::HandshakeFailed& failed) {
  const Time now = read_clock();
  if (now < next_failure_log_) {
    ++unlogged_failures_;
    return;
  }
  next_failure_log_ = now + std::chrono::seconds(1);
  const std::string others = std::to_string(std::exchange(unlogged_failures_, 0));
  log_warning("handshake failed", {{"peer", failed.peer.to_string()},
                                   {"reason", failed.failure.text},
                                   {"others_since_last", others}});
}

// No limit of lines: each is caused by a holder of the peer's key, and an initiator that lost the
// link waits for Session::retry_after_takeover.
void Link::taken_over(const session::TakenOver& taken) const {
  const bool lost = taken.certificate.empty();
  const std::string certificate = lost ? identity_->certificate().name : taken.certificate;
  if (lost) {
    log_warning("another gateway with this end's certificate took over the link",
                {{"certificate", certificate}});
  } else {
    log_warning("another address took over the link", {{"certificate", certificate},
                                                       {"from", taken.from.to_string()},
                                                       {"to", taken.to->to_string()}});
  }
  if (!taken.shared) return;
  log_warning("two gateways share a certificate: each takes the link from the other",
              {{"certificate", certificate}});
}

std::string Link::status() const {
  const Time now = read_clock();
  LinkFacts facts{options_,
                  control_socket_.link(),
                  ifname_,
                  mtu_,
                  path_mtu_,
                  carrier_,
                  flaps_,
                  announced_at_.value_or(now),
                  0,
                  start_.monitor_pid,
                  std::chrono::sys_seconds(std::chrono::seconds(settings_read_)),
                  start_.worker_starts,
                  cage::refused_system_calls().count,
                  refused_sources_,
                  *identity_,
                  endings(),
                  history_};
  std::vector<LaneFacts> lanes;
  for (const auto& lane : lanes_) {
    if (lane.get() == &reporting_lane()) facts.reporting_lane = lanes.size();
    const session::SessionStatus session = lane->session().status(now);
    lanes.push_back({session, lane->counters(), lane->control_drops(), lane->local(session),
                     lane->sparse_local(session)});
  }
  return status_json(facts, lanes, now);
}

}  // namespace routevpn::link
