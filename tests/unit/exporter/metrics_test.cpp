#include "routevpn/exporter/metrics.hpp"

#include <set>
#include <sstream>

#include "catch.hpp"
#include "sound_link.hpp"

using namespace routevpn;
using namespace routevpn::exporter;
using test::sound_link;

namespace {

bird::BgpSession session(const std::string& name, const std::string& neighbor,
                         const std::string& state = "Established") {
  return {name, state, neighbor, {}, {{"ipv4", {3, 1}}, {"ipv6", {2, 1}}}};
}

std::string text_of(const Report& report, const Sites& sites = {}) {
  return metrics_text(report, sites, "1.2.3");
}

// Whether one line of the text is this sample.
bool has(const std::string& text, const std::string& sample) {
  return ("\n" + text).find("\n" + sample + "\n") != std::string::npos;
}

// The names and labels of all samples.
std::multiset<std::string> series_of(const std::string& text) {
  std::multiset<std::string> series;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) series.insert(line.substr(0, line.rfind(' ')));
  }
  return series;
}

}  // namespace

TEST_CASE("a sound link has every metric") {
  const auto text = text_of({{sound_link("rv1")}, {}, 0.25}, {{"V2-1", "site2"}});
  const auto* sample = GENERATE(
      R"(routevpn_build_info{version="1.2.3"} 1)", R"(routevpn_collection_seconds 0.25)",
      R"(routevpn_link_up{link="rv1"} 1)",
      R"(routevpn_link_info{link="rv1",ifname="rv1",netns="private",peer="V2-1",site="site2",)"
      R"(remote="192.0.2.2:7754",cipher="AES-128-GCM",state="up",reason=""} 1)",
      R"(routevpn_link_rtt_seconds{link="rv1"} 0.0015)",
      R"(routevpn_link_jitter_seconds{link="rv1"} 0.00025)",
      R"(routevpn_link_loss_ratio{link="rv1",direction="rx"} 0.02)",
      R"(routevpn_link_loss_ratio{link="rv1",direction="tx"} 0.03)",
      R"(routevpn_link_mtu_bytes{link="rv1"} 1380)",
      R"(routevpn_link_path_mtu_bytes{link="rv1"} 1440)",
      R"(routevpn_link_bytes_total{link="rv1",direction="rx"} 12345678901)",
      R"(routevpn_link_packets_total{link="rv1",direction="tx"} 20)",
      R"(routevpn_drops_total{link="rv1",reason="record_forged"} 5)",
      R"(routevpn_drops_total{link="rv1",reason="psk_missing"} 0)",
      R"(routevpn_drops_total{link="rv1",reason="other"} 2)",
      R"(routevpn_handshakes_total{link="rv1"} 2)", R"(routevpn_rekeys_total{link="rv1"} 1)",
      R"(routevpn_roams_total{link="rv1"} 3)", R"(routevpn_flaps_total{link="rv1"} 4)",
      R"(routevpn_worker_starts_total{link="rv1"} 1)",
      R"(routevpn_certificate_not_after_timestamp_seconds{link="rv1",subject="CN=V1-1",role="own"})"
      " 1798761599",
      R"(routevpn_certificate_not_after_timestamp_seconds{link="rv1",subject="CN=V2-1",role="peer"})"
      " 1798761600",
      // Of two CAs with the same subject, the first end.
      R"(routevpn_certificate_not_after_timestamp_seconds{link="rv1",subject="CN=CA",role="ca"})"
      " 1861920000",
      R"(routevpn_crl_next_update_timestamp_seconds{link="rv1"} 1796083200)");
  CAPTURE(text, sample);
  CHECK(has(text, sample));
}

TEST_CASE("every metric has a help text and a type") {
  const auto text =
      text_of({{sound_link("rv1")},
               {{"private", "/run/routevpn/bird/private.ctl", {session("V2_1", "10.255.0.2")}}}});
  for (const auto& name : metric_names()) {
    CAPTURE(name);
    CHECK_THAT(text, ContainsSubstring("# HELP " + name + " "));
    const auto* const type = name.ends_with("_total") ? " counter\n" : " gauge\n";
    CHECK_THAT(text, ContainsSubstring("# TYPE " + name + type));
  }
}

TEST_CASE("a link without an answer is down, and has its reason") {
  const auto text = text_of({{{"rv1", nullptr, "no_answer"}, sound_link("rv2")}, {}});
  CHECK(has(text, R"(routevpn_link_up{link="rv1"} 0)"));
  CHECK(has(text, R"(routevpn_link_up{link="rv2"} 1)"));
  CHECK_THAT(text, ContainsSubstring(R"(state="unknown",reason="no_answer"} 1)"));
  CHECK_THAT(text, !ContainsSubstring(R"(routevpn_flaps_total{link="rv1"})"));
}

TEST_CASE("a link without carrier has no round trip and no loss") {
  auto link = sound_link("rv1");
  link.status["carrier"] = false;
  const auto text = text_of({{link}, {}});
  CHECK(has(text, R"(routevpn_link_up{link="rv1"} 0)"));
  CHECK_THAT(text, !ContainsSubstring("routevpn_link_rtt_seconds{"));
  CHECK_THAT(text, !ContainsSubstring("routevpn_link_loss_ratio{"));
  CHECK(has(text, R"(routevpn_flaps_total{link="rv1"} 4)"));
}

TEST_CASE("a status with members of other types gives what it can") {
  const auto text = text_of({{{"rv1", nlohmann::json::parse(R"({
    "carrier": "yes", "mtu": "1380", "rx": [1, 2], "tx": null, "drops": 7, "peer": "V2-1",
    "flaps": true, "credentials": {"certificate": 3, "authorities": {"a": 1}, "crl": []},
    "rtt_us": 1, "handshakes": {}})")}},
                             {}});
  CHECK(has(text, R"(routevpn_link_up{link="rv1"} 0)"));
  const auto drops = text_of({{{"rv1", {{"drops", {{"x", "y"}, {"record_forged", "3"}}}}}}, {}});
  CHECK(has(drops, R"(routevpn_drops_total{link="rv1",reason="record_forged"} 0)"));
}

TEST_CASE("hostile names make no line, no label and no control character of their own") {
  auto link = sound_link("rv1");
  const std::string hostile = "x\"} 1\nrouteVPN_up 0\r\\ \x1b[31m<script>\xe2\x80\xae";
  link.status["peer"]["name"] = hostile;
  link.status["peer"]["subject"] = hostile + std::string(65536, 'A');
  link.status["remote"] = std::string(65536, '\n');
  auto bgp = session(hostile, "10.255.0.2");
  const auto text = text_of({{link}, {{"private", "x", {bgp, bgp}}}});
  CHECK_THAT(text, !ContainsSubstring("\nrouteVPN_up"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\r') == std::string::npos);
  CHECK(text.size() < 30'000);
  // Prometheus refuses a text with the same sample twice.
  const auto series = series_of(text);
  CHECK(series.size() == std::set(series.begin(), series.end()).size());
}

TEST_CASE("a session belongs to the link whose network or interface it uses") {
  auto other = sound_link("rv2");
  other.status["ifname"] = "rv2";
  other.status["addresses"] = {"10.255.0.5/30", "fe80::1/64"};
  auto by_zone = session("ZONE", "fe80::2");
  by_zone.zone = "rv2";
  const Report report{{sound_link("rv1"), other},
                      {{"private",
                        "p",
                        {session("V2_1", "10.255.0.2"), session("V3_1", "2001:db8:ff::1"), by_zone,
                         session("LAN", "10.0.1.1", "Active"), session("ODD", "nonsense")}},
                       {"public", "q", {}, "no_answer"}}};
  const auto text = text_of(report);
  CHECK(has(text, R"(routevpn_bird_up{bird="private"} 1)"));
  CHECK(has(text, R"(routevpn_bird_up{bird="public"} 0)"));
  const std::string of = R"(routevpn_bgp_session_up{bird="private",protocol=)";
  CHECK(has(text, of + R"("V2_1",link="rv1"} 1)"));
  CHECK(has(text, of + R"("V3_1",link="rv1"} 1)"));
  CHECK(has(text, of + R"("ZONE",link="rv2"} 1)"));
  CHECK(has(text, of + R"("LAN",link=""} 0)"));
  CHECK(has(text, of + R"("ODD",link=""} 1)"));
  // Two sessions over one link.
  CHECK(has(text, R"(routevpn_routes{link="rv1",family="ipv4"} 6)"));
  CHECK(has(text, R"(routevpn_routes{link="rv2",family="ipv6"} 2)"));
  CHECK_THAT(text, !ContainsSubstring(R"(routevpn_routes{link="")"));
}

TEST_CASE("of interfaces with the same name the namespace of BIRD decides") {
  auto other = sound_link("rv1-2");
  other.status["netns"] = "/run/netns/second";
  auto by_zone = session("ZONE", "fe80::2");
  by_zone.zone = "rv1";
  const auto text = text_of({{sound_link("rv1"), other}, {{"second", "p", {by_zone}}}});
  CHECK_THAT(text, ContainsSubstring(R"(protocol="ZONE",link="rv1-2"} 1)"));
}
