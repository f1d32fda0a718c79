// What a link says of itself: its state to the log, systemd and the state hook, all it knows to
// `show`.

#include <algorithm>

#include "routevpn/base/json_text.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/host/notify.hpp"
#include "routevpn/link/link.hpp"
#include "routevpn/link/status.hpp"

namespace routevpn::link {

// The lane whose state is the link's: one that is up, else one on its way, else the first.
const LaneControl& Link::speaker() const {
  for (const std::string_view state : {"up", "connecting"}) {
    for (const auto& lane : lanes_) {
      if (session::public_state(lane->session().status(clock()).phase) == state) return *lane;
    }
  }
  return *lanes_.front();
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
  host::notify("STATUS=" + state + ": " + session.reason.text);
  hook_.run({{"ROUTEVPN_LINK", control_socket_.link()},
             {"ROUTEVPN_STATE", state},
             {"ROUTEVPN_REASON", session.reason.word},
             {"ROUTEVPN_PEER", peer}});
}

void Link::warn_of_expiry() {
  expiry_at_ = clock() + expiry_interval;
  const auto now = std::chrono::system_clock::now();
  const auto warn = [now](ExpiryWatch& watch, const dtls::CertificateInfo& certificate) {
    const auto days = watch.news(certificate.not_after, now);
    if (!days) return;
    log_warning(
        "a certificate expires within " + std::to_string(*days) + (*days == 1 ? " day" : " days"),
        {{"certificate", certificate.name}, {"not_after", rfc3339(certificate.not_after)}});
  };
  warn(own_expiry_, identity_->certificate());
  const auto session = speaker().session().status(clock());
  if (session.association) warn(peer_expiry_, session.association->peer);
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

std::string Link::status() const {
  const Time now = clock();
  LinkFacts facts{options_, control_socket_.link(),      ifname_, mtu_, path_mtu_, carrier_,
                  flaps_,   announced_at_.value_or(now), 0};
  std::vector<LaneFacts> lanes;
  for (const auto& lane : lanes_) {
    if (lane.get() == &speaker()) facts.speaker = lanes.size();
    const session::SessionStatus session = lane->session().status(now);
    lanes.push_back({session, lane->counters(), lane->control_drops(), lane->local(session)});
  }
  return status_json(facts, lanes, now);
}

}  // namespace routevpn::link
