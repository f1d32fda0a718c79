#include "routevpn/cli/render.hpp"

#include "routevpn/cli/human.hpp"

#include "catch.hpp"

using namespace routevpn::cli;
using nlohmann::json;
using std::chrono::seconds;

namespace {

const auto now = *routevpn::pki::parse_time("2026-01-10T12:00:00Z");

json up_link() {
  return json::parse(R"({
    "link": "rv3-1", "ifname": "rv3-1", "netns": "private", "state": "up",
    "since": "2026-01-10T09:48:59.500Z", "reason": null, "carrier": true,
    "mtu": 1415, "path_mtu": 1500,
    "addresses": ["169.254.1.5/31", "2001:db8:ff::5/127"],
    "peer": {"name": "V3-1", "subject": "CN=V3-1", "not_after": "2027-01-09T13:00:00Z",
             "fingerprint": "00"},
    "local": "[2001:db8:1::1]:5831", "remote": "[2001:db8:3::1]:5801", "alpn": "routevpn/2",
    "version": "DTLSv1.2", "cipher": "ECDHE-ECDSA-AES128-GCM-SHA256", "crypto": "ipsec-mb",
    "last_handshake": "2026-01-10T11:53:10.000Z", "handshakes": 3, "rekeys": 2, "roams": 0,
    "flaps": 0, "rtt_us": {"last": 1500, "min": 1210, "smoothed": 1430, "jitter": 100},
    "loss": 0.0, "rx": {"bytes": 48517, "packets": 100, "drops": 0},
    "tx": {"bytes": 50452, "packets": 100, "drops": 0},
    "drops": {"record_forged": 0, "record_replayed": 0}, "lanes": []})");
}

}  // namespace

TEST_CASE("render prints a link that is up") {
  CHECK(render(up_link(), now, false) ==
        "link: rv3-1 (up 2 h 11 min)\n"
        "  interface: rv3-1 in namespace private, 169.254.1.5/31 2001:db8:ff::5/127, mtu 1415\n"
        "  peer: V3-1 (certificate expires in 364 days), "
        "at [2001:db8:3::1]:5801, our address is [2001:db8:1::1]:5831\n"
        "  association: DTLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256 by ipsec-mb, renewed 6 min ago\n"
        "  path: rtt 1.43 ms (min 1.21, jitter 0.10), loss 0.0 %, path mtu 1500\n"
        "  transfer: 47.38 KiB received, 49.27 KiB sent\n");
}

TEST_CASE("each credential that ends soon has a warning") {
  auto link = up_link();
  link["credentials"] = {{"warnings", {"the CA CN=x ends in 2 days", "a \x1b[2J"}}};
  CHECK_THAT(render(link, now, false), ContainsSubstring("\n  warning: the CA CN=x ends in 2 days\n"
                                                         "  warning: a \\x1b[2J\n"));
  link["credentials"] = {{"warnings", "none"}};
  CHECK_THAT(render(link, now, false), !ContainsSubstring("warning"));
}

TEST_CASE("takeovers are shown if there were any") {
  auto link = up_link();
  link["takeovers"] = 0U;
  CHECK_THAT(render(link, now, false), !ContainsSubstring("takeovers"));
  link["takeovers"] = 2U;
  CHECK_THAT(render(link, now, false),
             ContainsSubstring("\n  takeovers: 2, by another gateway with the same certificate\n"));
}

TEST_CASE("of several lanes each is shown") {
  auto link = up_link();
  json lane = link;
  lane["remote"] = "[2001:db8:3::1]:5802";
  lane["local"] = "[2001:db8:1::1]:5832";
  json down = json::parse(R"({"state": "connecting", "remote": null, "local": "0.0.0.0:5833",
                              "rtt_us": null, "loss": 0.0, "rx": {"bytes": 0}, "tx": {"bytes": 0}})");
  link["lanes"] = {lane, down};
  const auto shown = render(link, now, false);
  CHECK_THAT(shown,
             ContainsSubstring(
                 "  lane 0: up, at [2001:db8:3::1]:5802, our address is "
                 "[2001:db8:1::1]:5832, rtt 1.43 ms (min 1.21, jitter 0.10), loss 0.0 %, path mtu "
                 "1500, 47.38 KiB received, 49.27 KiB sent\n"));
  CHECK_THAT(shown, ContainsSubstring("  lane 1: connecting, loss 0.0 %, "
                                      "0 B received, 0 B sent\n"));
}

TEST_CASE("on a terminal the state has a colour and labels are bold") {
  auto link = up_link();
  CHECK(render(link, now, true)
            .starts_with("\x1b[1;32mlink\x1b[0m: \x1b[1;32mrv3-1\x1b[0m (up 2 h 11 min)\n"
                         "  \x1b[1minterface\x1b[0m: rv3-1 in"));
  link["state"] = "connecting";
  CHECK(render(link, now, true).starts_with("\x1b[1;33mlink"));
  link["state"] = "down";
  CHECK(render(link, now, true).starts_with("\x1b[1;31mlink"));
}

TEST_CASE("render prints the reason of a link that is not up, and no unknown value") {
  CHECK(render(json::parse(R"({"link": "rv0", "ifname": "rv0", "netns": null,
                               "state": "connecting", "since": "2026-01-10T11:59:48Z",
                               "reason": "silence", "udp_segment": true,
                               "reason_text": "no answer from 192.0.2.1:7754", "mtu": 1415,
                               "addresses": [], "peer": null, "local": null,
                               "remote": "192.0.2.1:7754", "version": null, "cipher": null,
                               "last_handshake": null, "rtt_us": null, "loss": null,
                               "path_mtu": null, "rx": {"bytes": 0}, "tx": {"bytes": 0}})"),
               now, false) ==
        "link: rv0 (connecting 12 s: no answer from 192.0.2.1:7754)\n"
        "  interface: rv0, mtu 1415\n"
        "  peer: at 192.0.2.1:7754\n"
        "  transfer: 0 B received, 0 B sent\n");
  CHECK(render(json::parse(R"({"link": "rv0", "state": "down", "reason": "stopped by the peer"})"),
               now, false)
            .starts_with("link: rv0 (down: stopped by the peer)\n"));
}

TEST_CASE("a link that is not up shows the expected peer, its certificate and the last failure") {
  const auto link = json::parse(R"({
    "link": "rv0", "state": "down", "since": "2026-01-10T11:58:00Z", "reason": "waiting",
    "reason_text": "waiting for the peer", "peer": null, "expected_peer": "V2-1",
    "credentials": {"certificate": {"name": "V1-1", "not_after": "2027-01-09T13:00:00Z"}},
    "last_failure": {"reason": "certificate_refused", "peer": "192.0.2.9:4000", "times": 5,
                     "text": "192.0.2.9:4000: certificate of X refused: not signed by our CA",
                     "at": "2026-01-10T11:59:57Z"},
    "drops": {"outside_send_failed": 5}, "send_error": "EPERM"})");
  CHECK(render(link, now, false) ==
        "link: rv0 (down 2 min: waiting for the peer)\n"
        "  peer: V2-1 is expected\n"
        "  last failure: 3 s ago, 5 times in a row: "
        "192.0.2.9:4000: certificate of X refused: not signed by our CA\n"
        "  certificate: V1-1 (certificate expires in 364 days)\n"
        "  transfer: 0 B received, 0 B sent\n"
        "  drops: outside_send_failed 5\n"
        "  last send error: EPERM\n");
}

TEST_CASE("a failure that is the reason is not printed twice") {
  auto link = json::parse(R"({
    "link": "rv0", "state": "connecting", "reason_text": "a: no answer",
    "last_failure": {"text": "a: no answer", "times": 1, "at": "2026-01-10T11:59:57Z"}})");
  CHECK_THAT(render(link, now, false), !ContainsSubstring("last failure"));
  link["last_failure"]["times"] = 2U;
  CHECK_THAT(render(link, now, false),
             ContainsSubstring("  last failure: 3 s ago, 2 times in a row\n"));
}

TEST_CASE("a link without a peer shows its own address") {
  CHECK(render(json::parse(R"({"link": "rv0", "state": "down", "reason": "down",
                               "local": "[::]:7754", "remote": null})"),
               now, false) ==
        "link: rv0 (down)\n"
        "  local: [::]:7754\n"
        "  transfer: 0 B received, 0 B sent\n");
}

TEST_CASE("drops, notes and a first association are shown") {
  auto link = up_link();
  link["drops"]["record_replayed"] = 3U;
  link["drops"]["inside_not_ip"] = 1U;
  link["rekeys"] = 0U;
  link["udp_segment"] = false;
  link["renewal_failure"] = "192.0.2.1:7754: alert certificate revoked";
  const auto text = render(link, now, false);
  CHECK_THAT(text, ContainsSubstring("  drops: inside_not_ip 1, record_replayed 3\n"));
  CHECK_THAT(text, ContainsSubstring("-SHA256 by ipsec-mb, made 6 min ago\n"));
  CHECK_THAT(text,
             ContainsSubstring("  rekey failed: 192.0.2.1:7754: alert certificate revoked\n"));
  CHECK_THAT(text, ContainsSubstring("  note: the kernel refused UDP_SEGMENT: "));
}

TEST_CASE("loss is printed for each direction where they differ") {
  auto link = up_link();
  link["loss"] = 0.25;
  link["loss_tx"] = 0.2004;
  link["loss_rx"] = 0.2;
  CHECK_THAT(render(link, now, false), ContainsSubstring(", loss 25.0 %, path mtu 1500\n"));
  link["loss_rx"] = 0.0;
  CHECK_THAT(render(link, now, false),
             ContainsSubstring(", loss 25.0 % (sent 20.0, received 0.0), path mtu 1500\n"));
}

TEST_CASE("the expiry of a certificate is printed in days, then in hours, then as past") {
  auto link = up_link();
  const auto expiry = [&](const char* at) {
    link["peer"]["not_after"] = at;
    const auto text = render(link, now, false);
    const auto begin = text.find('(', text.find("peer: ")) + 1;
    return text.substr(begin, text.find(')', begin) - begin);
  };
  CHECK(expiry("2026-01-12T12:00:00Z") == "certificate expires in 2 days");
  CHECK(expiry("2026-01-12T11:59:59Z") == "certificate expires in 1 d 23 h");
  CHECK(expiry("2026-01-10T15:30:00Z") == "certificate expires in 3 h 30 min");
  CHECK(expiry("2026-01-10T12:00:00Z") == "certificate expired");
}

TEST_CASE("control characters in a peer's certificate do not reach the terminal") {
  auto link = up_link();
  link["peer"]["name"] =
      "evil\x1b[2J\n\xc2\x9b"
      "31m";
  CHECK_THAT(render(link, now, false),
             ContainsSubstring("  peer: evil\\x1b[2J\\x0a\\xc2\\x9b31m ("));
}

TEST_CASE("members of any type, and missing ones, are accepted") {
  const auto link = up_link();
  for (const auto& [name, value] : link.items()) {
    for (const json& odd : {json(), json(true), json(-1), json(1.5), json("x"), json::array({1}),
                            json::object({{"name", 1}})}) {
      auto changed = link;
      changed[name] = odd;
      CAPTURE(name, odd.dump());
      CHECK(render(changed, now, false).starts_with("link: "));
    }
  }
  CHECK(render(json::array(), now, false).starts_with("link: "));
}

TEST_CASE("amounts and times have units") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1024) == "1.00 KiB");
  CHECK(human_bytes(1024ULL * 1024 * 1024 * 3 / 2) == "1.50 GiB");
  CHECK(human_bytes(~0ULL) == "16.00 EiB");
  CHECK(human_duration(seconds(-5)) == "0 s");
  CHECK(human_duration(seconds(59)) == "59 s");
  CHECK(human_duration(seconds(60)) == "1 min");
  CHECK(human_duration(seconds(3599)) == "59 min");
  CHECK(human_duration(seconds(3600)) == "1 h 0 min");
  CHECK(human_duration(seconds(86400 * 3 + 3600 * 4 + 59)) == "3 d 4 h");
}
