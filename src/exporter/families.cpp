#include "families.hpp"

#include <algorithm>
#include <sstream>

#include <prometheus/text_serializer.h>

#include "routevpn/base/text.hpp"
#include "routevpn/exporter/metrics.hpp"

namespace routevpn::exporter {

namespace {

using prometheus::ClientMetric, prometheus::MetricType;

constexpr std::size_t longest_value = 256;

struct Description {
  const char* name;
  MetricType type;
  const char* help;
};

constexpr auto gauge = MetricType::Gauge;
constexpr auto counter = MetricType::Counter;

// By Metric.
constexpr std::array<Description, static_cast<std::size_t>(Metric::count_)> descriptions = {{
    {"routevpn_build_info", gauge, "The version of the exporter. The value is always 1."},
    {"routevpn_collection_seconds", gauge,
     "Time that the exporter waited for links and BIRDs, in seconds."},
    {"routevpn_link_up", gauge,
     "1 if the interface of the link has its carrier. 0 if not, and if the link does not answer."},
    {"routevpn_link_info", gauge,
     "Facts about the link: its interface and namespace, its peer with site and endpoint, its "
     "state "
     "and the reason of the state. The value is always 1."},
    {"routevpn_link_rtt_seconds", gauge, "Smoothed round-trip time of probes, in seconds."},
    {"routevpn_link_jitter_seconds", gauge,
     "Mean deviation of the round-trip time of probes, in seconds."},
    {"routevpn_link_loss_ratio", gauge,
     "Lost part of the last 100 probes, 0 to 1: requests (tx) and replies (rx)."},
    {"routevpn_link_mtu_bytes", gauge, "MTU of the interface, in bytes."},
    {"routevpn_link_path_mtu_bytes", gauge,
     "Largest IP packet that the path between the gateways carries, in bytes."},
    {"routevpn_link_bytes_total", counter,
     "Bytes of inside packets received from (rx) and sent to (tx) the peer."},
    {"routevpn_link_packets_total", counter,
     "Inside packets received from (rx) and sent to (tx) the peer."},
    {"routevpn_drops_total", counter,
     "Dropped packets, records and handshakes by reason, see DROP REASONS in routevpn(7)."},
    {"routevpn_handshakes_total", counter, "Completed handshakes."},
    {"routevpn_rekeys_total", counter, "Renewals of an association."},
    {"routevpn_roams_total", counter, "Changes of the peer's address or port."},
    {"routevpn_flaps_total", counter, "Losses of the carrier."},
    {"routevpn_worker_starts_total", counter, "Worker processes started since the link started."},
    {"routevpn_certificate_not_after_timestamp_seconds", gauge,
     "End of a certificate, in seconds since 1970: our own, the peer's, and those of CAs."},
    {"routevpn_crl_next_update_timestamp_seconds", gauge,
     "Time of the next update that the CRL names, in seconds since 1970."},
    {"routevpn_bird_up", gauge, "1 if BIRD answers at its control socket, 0 if not."},
    {"routevpn_bgp_session_up", gauge, "1 if the BGP session is established, 0 if not."},
    {"routevpn_routes", gauge,
     "Routes that BIRD has learned through the link by BGP and has accepted."},
}};

std::string value_of_label(std::string_view value) {
  if (value.size() <= longest_value) return printable(value);
  return printable(value.substr(0, longest_value)).append("...");
}

bool same_labels(const ClientMetric& a, const ClientMetric& b) {
  return a.label == b.label;
}

}  // namespace

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  names.reserve(descriptions.size());
  for (const auto& description : descriptions) names.emplace_back(description.name);
  return names;
}

Families::Families() {
  families_.reserve(descriptions.size());
  for (const auto& [name, type, help] : descriptions) families_.push_back({name, help, type, {}});
}

void Families::reserve(Metric metric, std::size_t values) {
  families_[static_cast<std::size_t>(metric)].metric.reserve(values);
}

void Families::add(Metric metric, Labels labels, std::optional<double> value) {
  if (!value) return;
  auto& values = families_[static_cast<std::size_t>(metric)].metric;
  auto& added = values.emplace_back();
  added.label.reserve(labels.size());
  for (const auto& [name, text] : labels) {
    added.label.push_back({std::string(name), value_of_label(text)});
  }
  // The serializer takes the one that belongs to the type of the family.
  added.gauge.value = *value;
  added.counter.value = *value;
}

void Families::add_smaller(Metric metric, Labels labels, double value, std::size_t newest) {
  add(metric, labels, value);
  auto& values = families_[static_cast<std::size_t>(metric)].metric;
  const auto begin = values.end() - static_cast<std::ptrdiff_t>(newest) - 1;
  const auto& added = values.back();
  const auto same = std::find_if(begin, values.end() - 1, [&](const ClientMetric& known) {
    return same_labels(known, added);
  });
  if (same == values.end() - 1) return;
  same->gauge.value = std::min(same->gauge.value, value);
  values.pop_back();
}

std::string Families::text() && {
  std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families_);
  return std::move(out).str();
}

}  // namespace routevpn::exporter
