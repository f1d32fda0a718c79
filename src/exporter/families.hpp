// The metrics of the exporter: names, help texts, types, and their values.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

namespace routevpn::exporter {

enum class Metric : std::uint8_t {
  build_info,
  collection_seconds,
  link_up,
  link_info,
  link_rtt,
  link_jitter,
  link_loss,
  link_mtu,
  link_path_mtu,
  link_bytes,
  link_packets,
  drops,
  handshakes,
  rekeys,
  roams,
  flaps,
  worker_starts,
  certificate_not_after,
  crl_next_update,
  bird_up,
  bgp_session_up,
  routes,
  count_
};

// Names are constants; values may come from certificates and other processes.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class Families {
 public:
  Families();

  // Makes room for so many values, which saves to move those before.
  void reserve(Metric metric, std::size_t values);
  // A value of a label is written without control characters and is cut at 256 bytes. Without a
  // value nothing is added.
  void add(Metric metric, Labels labels, std::optional<double> value);
  // The same for labels whose values another process chooses, and may repeat. Of two values for the
  // same labels the smaller one stays. Compares with the last `newest` values.
  void add_smaller(Metric metric, Labels labels, double value, std::size_t newest);
  [[nodiscard]] std::size_t size(Metric metric) const { return family(metric).metric.size(); }

  // The text format of Prometheus, version 0.0.4. Families without a value are left out.
  [[nodiscard]] std::string text() &&;

 private:
  [[nodiscard]] const prometheus::MetricFamily& family(Metric metric) const {
    return families_[static_cast<std::size_t>(metric)];
  }

  std::vector<prometheus::MetricFamily> families_;  // by Metric
};

}  // namespace routevpn::exporter
