#include "routevpn/link/status.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "routevpn/base/text.hpp"

namespace routevpn::link {

namespace {

// Keeps the order of insertion, so that two answers can be compared by eye.
using Json = nlohmann::ordered_json;

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

Json peer_json(const session::AssociationStatus& association) {
  return {{"name", association.peer.name},
          {"subject", association.peer.subject},
          {"not_after", rfc3339(association.peer.not_after)},
          {"fingerprint", association.peer.fingerprint}};
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

Json drops_json(std::span<const std::uint64_t> drops) {
  Json json = Json::object();
  for (std::size_t i = 0; i < drops.size(); ++i) {
    if (drops[i] != 0) json[std::string(name_of(static_cast<Drop>(i)))] = drops[i];
  }
  return json;
}

// Of one lane, or of several together.
struct Sums {
  std::uint64_t rx_bytes = 0;
  std::uint64_t rx_packets = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_fragmented = 0;
  std::uint64_t handshakes = 0;
  std::uint64_t rekeys = 0;
  std::uint64_t roams = 0;
  std::uint64_t hints_given = 0;
  std::uint64_t hints_taken = 0;
  bool udp_segment = true;
  std::array<std::uint64_t, drop_count> drops{};

  void add(const LaneFacts& lane) {
    rx_bytes += lane.counters.rx_bytes;
    rx_packets += lane.counters.rx_packets;
    tx_bytes += lane.counters.tx_bytes;
    tx_packets += lane.counters.tx_packets;
    tx_fragmented += lane.counters.tx_fragmented;
    handshakes += lane.session.handshakes;
    rekeys += lane.session.rekeys;
    roams += lane.session.roams;
    hints_given += lane.session.hints_given;
    hints_taken += lane.session.hints_taken;
    udp_segment = udp_segment && lane.counters.udp_segment;
    for (std::size_t i = 0; i < drop_count; ++i) {
      const auto reason = static_cast<Drop>(i);
      drops[i] += lane.counters.drops.get(reason) + lane.control_drops.get(reason);
    }
  }

  [[nodiscard]] std::uint64_t dropped(bool outbound) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < drop_count; ++i) {
      if (is_outbound(static_cast<Drop>(i)) == outbound) sum += drops[i];
    }
    return sum;
  }

  void write(Json& json) const {
    json["rx"] = {{"bytes", rx_bytes}, {"packets", rx_packets}, {"drops", dropped(false)}};
    json["tx"] = {{"bytes", tx_bytes},
                  {"packets", tx_packets},
                  {"drops", dropped(true)},
                  {"split", tx_fragmented}};
    json["drops"] = drops_json(drops);
  }
};

Json damping_json(const std::optional<session::DampingStatus>& damping, Time now) {
  if (!damping) return nullptr;
  return {{"since", wall_clock(damping->since, now)},
          {"until", wall_clock(damping->until, now)},
          {"flaps", damping->flaps}};
}

Json association_json(const session::SessionStatus& session, Time now) {
  const auto& association = session.association;
  Json json;
  json["peer"] = association ? peer_json(*association) : Json(nullptr);
  const auto remote = association ? association->endpoint.remote : session.attempted;
  json["remote"] = remote ? Json(remote->to_string()) : Json(nullptr);
  json["alpn"] = association && association->control_messages ? Json("routevpn/1") : Json(nullptr);
  json["cipher"] = association ? Json(association->cipher) : Json(nullptr);
  json["crypto"] = association ? Json(name_of(association->backend)) : Json(nullptr);
  json["version"] = association ? Json("DTLSv1.2") : Json(nullptr);
  json["last_handshake"] =
      association ? Json(wall_clock(association->established, now)) : Json(nullptr);
  return json;
}

void write_counts(Json& json, const Sums& sums, std::uint64_t flaps) {
  json["handshakes"] = sums.handshakes;
  json["rekeys"] = sums.rekeys;
  json["roams"] = sums.roams;
  json["flaps"] = flaps;
  json["restart_hints"] = {{"given", sums.hints_given}, {"taken", sums.hints_taken}};
}

// Why a working link has no carrier, and why it may lose its association.
void write_faults(Json& json, const session::SessionStatus& session, Time now) {
  json["damping"] = damping_json(session.damping, now);
  json["renewal_failure"] =
      session.renewal_failure.empty() ? Json(nullptr) : Json(session.renewal_failure);
}

void write_path(Json& json, const session::PathStatus& path) {
  json["rtt_us"] = rtt_json(path);
  json["loss"] = path.loss;
  json["loss_tx"] = path.loss_tx;
  json["loss_rx"] = path.loss_rx;
}

Json lane_json(const LaneFacts& lane, Time now) {
  Sums sums;
  sums.add(lane);
  Json json;
  json["state"] = session::public_state(lane.session.phase);
  json["since"] = wall_clock(lane.session.since, now);
  json["reason"] = lane.session.reason.word;
  json["local"] = lane.local.to_string();
  json["remote"] = association_json(lane.session, now)["remote"];
  write_counts(json, sums, lane.session.flaps);
  write_faults(json, lane.session, now);
  write_path(json, lane.session.path);
  sums.write(json);
  return json;
}

}  // namespace

std::string status_json(const LinkFacts& facts, std::span<const LaneFacts> lanes, Time now) {
  const LaneFacts& reporting = lanes[facts.reporting_lane];
  const session::SessionStatus& session = reporting.session;
  const Json association = association_json(session, now);
  Sums sums;
  for (const LaneFacts& lane : lanes) sums.add(lane);
  Json json;
  json["link"] = facts.link;
  json["ifname"] = facts.ifname;
  json["netns"] = facts.options.netns.empty() ? Json(nullptr) : Json(facts.options.netns);
  json["state"] = session::public_state(session.phase);
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
  json["peer"] = association["peer"];
  json["local"] = reporting.local.to_string();
  for (const auto* name : {"remote", "alpn", "cipher", "crypto", "version", "last_handshake"}) {
    json[name] = association[name];
  }
  write_counts(json, sums, facts.flaps);
  write_faults(json, session, now);
  write_path(json, session.path);
  sums.write(json);
  json["udp_segment"] = sums.udp_segment;
  json["lanes"] = Json::array();
  for (const LaneFacts& lane : lanes) json["lanes"].push_back(lane_json(lane, now));
  return json.dump();
}

}  // namespace routevpn::link
