#include "routevpn/exporter/metrics.hpp"

#include <algorithm>

#include "routevpn/base/drop.hpp"
#include "routevpn/exporter/session_links.hpp"

#include "families.hpp"
#include "fields.hpp"
#include "timestamp.hpp"

namespace routevpn::exporter {

namespace {

constexpr std::size_t most_certificates = 64;  // of one link

// The metrics of one link.
class LinkMetrics {
 public:
  LinkMetrics(Families& families, const LinkReport& link)
      : families_(families), link_(link), status_(link.status) {}

  void add(const Sites& sites) {
    const bool up = is_true(status_, "carrier");
    add(Metric::link_up, up ? 1 : 0);
    add_info(sites);
    if (status_.is_null()) return;
    if (up) add_path();
    add(Metric::link_mtu, number(status_, "mtu"));
    add(Metric::link_path_mtu, number(status_, "path_mtu"));
    for (const char* const direction : {"rx", "tx"}) {
      families_.add(Metric::link_bytes, {{"link", link_.name}, {"direction", direction}},
                    number(status_, direction, "bytes"));
      families_.add(Metric::link_packets, {{"link", link_.name}, {"direction", direction}},
                    number(status_, direction, "packets"));
    }
    add_drops();
    add(Metric::handshakes, number(status_, "handshakes"));
    add(Metric::rekeys, number(status_, "rekeys"));
    add(Metric::roams, number(status_, "roams"));
    add(Metric::flaps, number(status_, "flaps"));
    add(Metric::worker_starts, number(status_, "worker_starts"));
    add_credentials();
  }

 private:
  void add(Metric metric, std::optional<double> value) {
    families_.add(metric, {{"link", link_.name}}, value);
  }

  void add_info(const Sites& sites) {
    const auto peer = text(status_, "peer", "name");
    const auto site = sites.find(peer);
    const bool answers = !status_.is_null();
    families_.add(Metric::link_info,
                  {{"link", link_.name},
                   {"ifname", text(status_, "ifname")},
                   {"netns", text(status_, "netns")},
                   {"peer", peer},
                   {"site", site == sites.end() ? std::string() : site->second},
                   {"remote", text(status_, "remote")},
                   {"cipher", text(status_, "cipher")},
                   {"state", answers ? text(status_, "state") : "unknown"},
                   {"reason", answers ? text(status_, "reason") : link_.reason}},
                  1);
  }

  // Of a path without carrier nothing is known.
  void add_path() {
    constexpr double us_per_second = 1e6;
    const auto seconds = [&](const char* name) -> std::optional<double> {
      const auto value = number(status_, "rtt_us", name);
      return value ? std::optional(*value / us_per_second) : std::nullopt;
    };
    add(Metric::link_rtt, seconds("smoothed"));
    add(Metric::link_jitter, seconds("jitter"));
    families_.add(Metric::link_loss, {{"link", link_.name}, {"direction", "rx"}},
                  number(status_, "loss_rx"));
    families_.add(Metric::link_loss, {{"link", link_.name}, {"direction", "tx"}},
                  number(status_, "loss_tx"));
  }

  // A link names only the reasons that it has counted. The others are 0, so that a rate sees the
  // first drop. Reasons of a newer version of the link are added up.
  void add_drops() {
    const auto& drops = member(status_, "drops");
    double known = 0;
    for (std::size_t i = 0; i < drop_count; ++i) {
      const std::string reason(name_of(static_cast<Drop>(i)));
      const auto value = number(drops, reason.c_str()).value_or(0);
      families_.add(Metric::drops, {{"link", link_.name}, {"reason", reason}}, value);
      known += value;
    }
    double all = 0;
    for (const auto& value : drops) {
      if (value.is_number()) all += value.get<double>();
    }
    families_.add(Metric::drops, {{"link", link_.name}, {"reason", "other"}},
                  std::max(0.0, all - known));
  }

  void add_certificate(const json& certificate, std::string_view role) {
    const auto end = to_timestamp(text(certificate, "not_after"));
    if (!end || certificates_ == most_certificates) return;
    families_.add_smaller(
        Metric::certificate_not_after,
        {{"link", link_.name}, {"subject", text(certificate, "subject")}, {"role", role}}, *end,
        certificates_);
    certificates_ = families_.size(Metric::certificate_not_after) - before_;
  }

  void add_credentials() {
    const auto& credentials = member(status_, "credentials");
    before_ = families_.size(Metric::certificate_not_after);
    add_certificate(member(credentials, "certificate"), "own");
    add_certificate(member(status_, "peer"), "peer");
    const auto& authorities = member(credentials, "authorities");
    if (authorities.is_array()) {
      for (const auto& authority : authorities) add_certificate(authority, "ca");
    }
    add(Metric::crl_next_update, to_timestamp(text(credentials, "crl", "next_update")));
  }

  Families& families_;
  const LinkReport& link_;
  const json& status_;
  std::size_t before_ = 0;        // certificates of the links before
  std::size_t certificates_ = 0;  // of this link
};

void add_bird(Families& families, const BirdReport& bird, const SessionLinks& links,
              std::map<std::pair<std::string, std::string>, double>& routes) {
  families.add(Metric::bird_up, {{"bird", bird.name}}, bird.reason.empty() ? 1 : 0);
  const auto before = families.size(Metric::bgp_session_up);
  for (const auto& session : bird.sessions) {
    const auto link = links.link_of(bird, session);
    families.add_smaller(
        Metric::bgp_session_up, {{"bird", bird.name}, {"protocol", session.name}, {"link", link}},
        session.state == "Established" ? 1 : 0, families.size(Metric::bgp_session_up) - before);
    if (link.empty()) continue;
    for (const auto& [family, counts] : session.routes) {
      if (family != "ipv4" && family != "ipv6") continue;
      routes[{link, family}] += static_cast<double>(counts.imported);
    }
  }
}

}  // namespace

std::string metrics_text(const Report& report, const Sites& sites, std::string_view version) {
  Families families;
  families.reserve(Metric::drops, report.links.size() * (drop_count + 1));  // most of all values
  families.add(Metric::build_info, {{"version", version}}, 1);
  families.add(Metric::collection_seconds, {}, report.seconds);
  for (const auto& link : report.links) LinkMetrics(families, link).add(sites);
  const SessionLinks links(report);
  std::map<std::pair<std::string, std::string>, double> routes;
  for (const auto& bird : report.birds) add_bird(families, bird, links, routes);
  for (const auto& [place, count] : routes) {
    families.add(Metric::routes, {{"link", place.first}, {"family", place.second}}, count);
  }
  return std::move(families).text();
}

}  // namespace routevpn::exporter
