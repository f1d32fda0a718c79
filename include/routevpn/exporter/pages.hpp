// What the exporter answers to each path.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "routevpn/base/clock.hpp"
#include "routevpn/exporter/collect.hpp"
#include "routevpn/exporter/http_server.hpp"
#include "routevpn/exporter/looking_glass.hpp"
#include "routevpn/exporter/network.hpp"
#include "routevpn/exporter/network_watch.hpp"
#include "routevpn/exporter/status_events.hpp"

namespace routevpn::exporter {

using Faults = std::map<std::string, std::string>;  // by link or socket: what is wrong

class Pages {
 public:
  // A report serves all requests of this time. So many clients ask the links no more often than a
  // few times per second.
  static constexpr std::chrono::milliseconds report_age{250};

  // The network of --topology; empty without one.
  Pages(Sources sources, const Network& network)
      : sources_(std::move(sources)),
        sites_(sites_of(network)),
        network_(std::make_shared<const std::string>(network_text(network))),
        watch_(network) {}

  using Text = std::shared_ptr<const std::string>;

  HttpAnswer answer(const HttpRequest& request);
  // For the streams of /api/v1/events, each report_age. Null: nothing to send now.
  Text next_event();

  // Until the report is old; none: there is no report.
  [[nodiscard]] std::optional<Duration> timeout() const;
  // To be called then. To free the objects of many links is slow, so it is done while no client
  // waits.
  void forget_if_old();

 private:
  void collect_if_old();
  const Text& metrics();
  const Text& status();
  const Text& links();
  HttpAnswer routes(const HttpRequest& request);

  Sources sources_;
  Sites sites_;
  Text network_;
  NetworkWatch watch_;
  Report report_;
  std::optional<Time> collected_;
  Text metrics_;  // of the report; null: not made yet
  Text status_;
  Text links_;
  StatusEvents events_;
  LookingGlass looking_glass_;
  Faults faults_;  // that are in the log
};

}  // namespace routevpn::exporter
