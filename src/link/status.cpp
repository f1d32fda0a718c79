#include "routevpn/link/status.hpp"

#include <nlohmann/json.hpp>

#include "routevpn/base/json_text.hpp"

namespace routevpn::link {

namespace {

// Members in the order they are written, so that two answers can be compared by eye.
using Json = nlohmann::ordered_json;

// What the wall clock said at `when`. The two clocks' difference is kept, so that two answers give
// the same time for the same event, unless somebody has set the wall clock meanwhile.
std::string wall_clock(Time when, Time now) {
  using SystemClock = std::chrono::system_clock;
  static Duration difference{};
  const Duration today = SystemClock::now().time_since_epoch() - now.time_since_epoch();
  if (std::chrono::abs(today - difference) > std::chrono::milliseconds(500)) difference = today;
  return rfc3339(SystemClock::time_point(
      std::chrono::duration_cast<SystemClock::duration>(when.time_since_epoch() + difference)));
}

double microseconds(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

Json peer_json(const AssociationStatus& association) {
  return {{"name", association.peer.name},
          {"subject", association.peer.subject},
          {"not_after", rfc3339(association.peer.not_after)},
          {"fingerprint", association.peer.fingerprint}};
}

Json rtt_json(const PathStatus& path) {
  if (!path.last) return nullptr;
  return {{"last", microseconds(*path.last)},
          {"min", microseconds(path.min)},
          {"smoothed", microseconds(path.smoothed)},
          {"jitter", microseconds(path.jitter)}};
}

// Inbound reasons stand behind the outbound ones in the list.
bool is_outbound(Drop reason) {
  return reason <= Drop::outside_send_failed;
}

struct DropSums {
  std::uint64_t rx = 0;
  std::uint64_t tx = 0;
  Json by_reason = Json::object();
};

DropSums sum_drops(const DropCounters& lane, const DropCounters& control) {
  DropSums sums;
  for (std::size_t i = 0; i < drop_count; ++i) {
    const auto reason = static_cast<Drop>(i);
    const std::uint64_t count = lane.get(reason) + control.get(reason);
    if (count == 0) continue;
    sums.by_reason[std::string(name_of(reason))] = count;
    (is_outbound(reason) ? sums.tx : sums.rx) += count;
  }
  return sums;
}

Json association_json(const SessionStatus& session, Time now) {
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

}  // namespace

std::string status_json(const LinkFacts& facts, const SessionStatus& session,
                        const LaneCounters& lane, const DropCounters& control, Time now) {
  const DropSums drops = sum_drops(lane.drops, control);
  const Json association = association_json(session, now);
  Json json;
  json["link"] = facts.link;
  json["ifname"] = facts.ifname;
  json["netns"] = facts.options.netns.empty() ? Json(nullptr) : Json(facts.options.netns);
  json["state"] = public_state(session.phase);
  json["since"] = wall_clock(session.since, now);
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
  json["local"] = facts.local.to_string();
  for (const auto* name : {"remote", "alpn", "cipher", "crypto", "version", "last_handshake"}) {
    json[name] = association[name];
  }
  json["handshakes"] = session.handshakes;
  json["rekeys"] = session.renewals;
  json["roams"] = session.moves;
  json["flaps"] = session.flaps;
  json["rtt_us"] = rtt_json(session.path);
  json["loss"] = session.path.loss;
  json["rx"] = {
      {"bytes", lane.rx_bytes.load()}, {"packets", lane.rx_packets.load()}, {"drops", drops.rx}};
  json["tx"] = {
      {"bytes", lane.tx_bytes.load()}, {"packets", lane.tx_packets.load()}, {"drops", drops.tx}};
  json["drops"] = drops.by_reason;
  json["udp_segment"] = lane.udp_segment.load();
  json["lanes"] = Json::array({{{"state", public_state(session.phase)},
                                {"local", facts.local.to_string()},
                                {"remote", association["remote"]}}});
  return json.dump();
}

}  // namespace routevpn::link
