#include "routevpn/link/status.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <unistd.h>

#include "routevpn/base/text.hpp"

#include "credentials_json.hpp"

namespace routevpn::link {

namespace {

// The wall clock's time at `when`. The difference of the two clocks is kept, so that two answers
// give the same time for the same event unless the wall clock was set in between.
std::string wall_clock(Time when, Time now) {
  using SystemClock = std::chrono::system_clock;
  static Duration difference{};
  const Duration current = SystemClock::now().time_since_epoch() - now.time_since_epoch();
  if (std::chrono::abs(current - difference) > std::chrono::milliseconds(500)) difference = current;
  return rfc3339(SystemClock::time_point(
      std::chrono::duration_cast<SystemClock::duration>(when.time_since_epoch() + difference)));
}

double microseconds(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

Json rtt_json(const session::PathStatus& path) {
  if (!path.last) return nullptr;
  return {{"last", microseconds(*path.last)},
          {"min", microseconds(path.min)},
          {"smoothed", microseconds(path.smoothed)},
          {"jitter", microseconds(path.jitter)}};
}

// The list of reasons has the outbound ones first.
bool is_outbound(Drop reason) {
  return reason <= Drop::outside_send_failed;
}

// What one lane has counted.
Json counts_json(const LaneFacts& lane) {
  const auto& session = lane.session;
  const auto& counters = lane.counters;
  const auto& control_drops = lane.control_drops;
  Json drops = Json::object();
  std::array<std::uint64_t, 2> dropped{};
  for (std::size_t i = 0; i < drop_count; ++i) {
    const auto reason = static_cast<Drop>(i);
    const std::uint64_t n = counters.drops.get(reason) + control_drops.get(reason);
    if (n != 0) drops[std::string(name_of(reason))] = n;
    dropped[is_outbound(reason) ? 1 : 0] += n;
  }
  return {{"handshakes", session.handshakes},
          {"rekeys", session.rekeys},
          {"roams", session.roams},
          {"takeovers", session.takeovers},
          {"flaps", session.flaps},
          {"restart_hints", {{"given", session.hints_given}, {"taken", session.hints_taken}}},
          {"rx",
           {{"bytes", counters.rx_bytes.load()},
            {"packets", counters.rx_packets.load()},
            {"drops", dropped[0]}}},
          {"tx",
           {{"bytes", counters.tx_bytes.load()},
            {"packets", counters.tx_packets.load()},
            {"drops", dropped[1]},
            {"split", counters.tx_fragmented.load()}}},
          {"drops", drops}};
}

void add_counts(Json& sum, const Json& more) {
  for (const auto& [name, value] : more.items()) {
    if (value.is_object()) {
      if (!sum.contains(name)) sum[name] = Json::object();
      add_counts(sum[name], value);
    } else {
      sum[name] = sum.value(name, std::uint64_t{0}) + value.get<std::uint64_t>();
    }
  }
}

// The kernel drops for all lanes together.
void add_refused_sources(Json& counts, std::uint64_t refused) {
  if (refused == 0) return;
  const std::string reason(name_of(Drop::payload_source_refused));
  add_counts(counts, {{"rx", {{"drops", refused}}}, {"drops", {{reason, refused}}}});
}

Json damping_json(const std::optional<session::DampingStatus>& damping, Time now) {
  if (!damping) return nullptr;
  return {{"since", wall_clock(damping->since, now)},
          {"until", wall_clock(damping->until, now)},
          {"flaps", damping->flaps}};
}

Json association_json(const session::SessionStatus& session, Time now) {
  const auto& association = session.association;
  Json json;
  json["peer"] = association ? certificate_json(association->peer) : Json(nullptr);
  const auto remote = association ? association->endpoint.remote : session.attempted;
  json["remote"] = remote ? Json(remote->to_string()) : Json(nullptr);
  json["alpn"] = association && association->control_messages
                     ? Json(association->sparse_flow ? "routevpn/2" : "routevpn/1")
                     : Json(nullptr);
  json["cipher"] = association ? Json(association->cipher) : Json(nullptr);
  json["crypto"] = association ? Json(name_of(association->backend)) : Json(nullptr);
  json["version"] = association ? Json("DTLSv1.2") : Json(nullptr);
  json["last_handshake"] =
      association ? Json(wall_clock(association->established, now)) : Json(nullptr);
  return json;
}

Json failure_json(const std::optional<session::Failure>& failure, Time now) {
  if (!failure) return nullptr;
  return {{"reason", failure->reason.word},
          {"text", failure->reason.text},
          {"peer", failure->peer ? Json(failure->peer->to_string()) : Json(nullptr)},
          {"at", wall_clock(failure->at, now)},
          {"times", failure->times}};
}

// Why a link is not up, why a working one has no carrier, and why it may lose its association.
void write_faults(Json& json, const session::SessionStatus& session, Time now) {
  json["last_failure"] = failure_json(session.failure, now);
  json["damping"] = damping_json(session.damping, now);
  json["renewal_failure"] =
      session.renewal_failure.empty() ? Json(nullptr) : Json(session.renewal_failure);
}

// Null until a probe was answered.
void write_path(Json& json, const session::PathStatus& path) {
  const auto loss = [&](double ratio) { return path.last ? Json(ratio) : Json(nullptr); };
  json["rtt_us"] = rtt_json(path);
  json["loss"] = loss(path.loss);
  json["loss_tx"] = loss(path.loss_tx);
  json["loss_rx"] = loss(path.loss_rx);
}

Json history_json(const History& history, Time now) {
  Json changes = Json::array();
  for (const StateChange& change : history.changes()) {
    changes.push_back({{"at", wall_clock(change.at, now)},
                       {"state", change.state},
                       {"reason", change.reason.word},
                       {"text", change.reason.text}});
  }
  return changes;
}

// Of the last datagram that the kernel refused, on any lane.
Json send_error_json(std::span<const LaneFacts> lanes) {
  for (const LaneFacts& lane : lanes) {
    const int error = lane.counters.send_error.load(std::memory_order_relaxed);
    const char* const name = error == 0 ? nullptr : strerrorname_np(error);
    if (name != nullptr) return name;
  }
  return nullptr;
}

// None while no datagram may take the sparse flow.
Json sparse_json(const LaneFacts& lane) {
  const auto& remote = lane.session.sparse;
  if (!remote) return nullptr;
  return {{"local", lane.sparse_local.to_string()},
          {"remote", remote->remote.to_string()},
          {"packets", lane.counters.tx_sparse.load()}};
}

Json lane_json(const LaneFacts& lane, Time now) {
  Json json;
  json["state"] = public_state(lane.session.phase);
  json["since"] = wall_clock(lane.session.since, now);
  json["reason"] = lane.session.reason.word;
  json["local"] = lane.local.to_string();
  json["remote"] = association_json(lane.session, now)["remote"];
  write_faults(json, lane.session, now);
  write_path(json, lane.session.path);
  json["sparse"] = sparse_json(lane);
  json.update(counts_json(lane));
  return json;
}

}  // namespace

std::string status_json(const LinkFacts& facts, std::span<const LaneFacts> lanes, Time now) {
  const LaneFacts& reporting = lanes[facts.reporting_lane];
  const session::SessionStatus& session = reporting.session;
  Json counts = Json::object();
  for (const LaneFacts& lane : lanes) add_counts(counts, counts_json(lane));
  add_refused_sources(counts, facts.refused_sources);
  counts["flaps"] = facts.flaps;
  Json json;
  json["link"] = facts.link;
  json["ifname"] = facts.ifname;
  json["pid"] = getpid();
  json["monitor_pid"] = facts.monitor_pid;
  json["settings_read"] = rfc3339(facts.settings_read);
  json["worker_starts"] = facts.worker_starts;
  json["refused_system_calls"] = facts.refused_system_calls;
  json["netns"] = facts.options.netns.empty() ? Json(nullptr) : Json(facts.options.netns);
  json["state"] = public_state(session.phase);
  json["since"] = wall_clock(facts.since, now);
  json["reason"] = session.reason.word;
  json["reason_text"] = session.reason.text;
  json["carrier"] = facts.carrier;
  json["mtu"] = facts.mtu;
  json["path_mtu"] = facts.path_mtu ? Json(*facts.path_mtu) : Json(nullptr);
  json["addresses"] = Json::array();
  for (const auto& address : facts.options.addresses) {
    json["addresses"].push_back(address.to_string());
  }
  json["local"] = reporting.local.to_string();
  json.update(association_json(session, now));
  const std::string& expected = facts.options.peer_name;
  json["expected_peer"] = expected.empty() || expected == "*" ? Json(nullptr) : Json(expected);
  json["send_error"] = send_error_json(lanes);
  json["psk"] = !facts.options.psk.empty();
  if (json["psk"] == true && json["alpn"].is_string()) {
    json["alpn"] = json["alpn"].get<std::string>() + "+psk";
  }
  write_faults(json, session, now);
  json["credentials"] = credentials_json(facts);
  write_path(json, session.path);
  json.update(counts);
  json["certificate_shared"] = std::ranges::any_of(
      lanes, [](const LaneFacts& lane) { return lane.session.certificate_shared; });
  json["udp_segment"] = std::ranges::all_of(
      lanes, [](const LaneFacts& lane) { return lane.counters.udp_segment.load(); });
  json["history"] = history_json(facts.history, now);
  json["lanes"] = Json::array();
  for (const LaneFacts& lane : lanes) json["lanes"].push_back(lane_json(lane, now));
  return json.dump();
}

}  // namespace routevpn::link
