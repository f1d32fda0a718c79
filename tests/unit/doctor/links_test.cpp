#include "catch.hpp"
#include "sound_gateway.hpp"

using namespace routevpn;
using namespace routevpn::test;
using std::chrono::seconds;

namespace {

doctor::Gateway with_state(std::size_t index, const std::string& reason, const std::string& text) {
  auto gateway = sound_gateway();
  auto& status = gateway.links[index].status;
  status["state"] = index == 0 ? "connecting" : "down";
  status["reason"] = reason;
  status["reason_text"] = text;
  return gateway;
}

}  // namespace

TEST_CASE("a fault of a configuration file is found") {
  auto gateway = sound_gateway();
  gateway.links[0].faults = {"/etc/routevpn/rv1.conf:3: mtu: must be a number"};
  CHECK(only(findings_of(gateway, FakeMachine()), "configuration").mend ==
        "correct the line, then: routevpn check --config /etc/routevpn/rv1.conf");
}

TEST_CASE("a link that does not run is found, with the state of its unit") {
  auto gateway = sound_gateway();
  gateway.links[0].status = nullptr;
  FakeMachine machine;
  machine.programs["systemctl is-active routevpn@rv1.service"] = {3, "failed\n"};
  const auto finding = only(findings_of(gateway, machine), "running");
  CHECK(finding.what == "the link is not running: its unit is failed");
  CHECK_THAT(finding.mend, ContainsSubstring("systemctl start routevpn@rv1.service"));
  machine.files.erase("/run/systemd/system");
  CHECK(only(findings_of(gateway, machine), "running").what == "the link is not running");
}

TEST_CASE("a unit that does not start with the machine is found") {
  FakeMachine machine;
  machine.programs["systemctl is-enabled routevpn@rv2.service"] = {1, "disabled\n"};
  CHECK(only(findings_of(sound_gateway(), machine), "running").mend ==
        "systemctl enable routevpn@rv2.service");
}

TEST_CASE("a configuration file that is newer than its link is found") {
  FakeMachine machine;
  const auto read = *pki::parse_time("2100-01-01T00:00:00Z");  // of sound_gateway()
  machine.changes["/etc/routevpn/rv2.conf"] = read;
  CHECK(findings_of(sound_gateway(), machine).empty());
  machine.changes["/etc/routevpn/rv2.conf"] = read + seconds{1};
  CHECK(only(findings_of(sound_gateway(), machine), "running").mend ==
        "routevpn reload rv2; if it says that a restart is needed: systemctl restart "
        "routevpn@rv2.service");
}

TEST_CASE("an initiator that is not up says what its reason means") {
  auto finding =
      only(findings_of(with_state(0, "no_answer", "192.0.2.1: no answer"), FakeMachine()), "peer");
  CHECK(finding.what == "the link is not up: 192.0.2.1: no answer");
  CHECK_THAT(finding.why, ContainsSubstring("a firewall drops the datagrams"));
  finding =
      only(findings_of(with_state(0, "resolve_failed", "peer.example: no address"), FakeMachine()),
           "peer");
  CHECK_THAT(finding.mend, ContainsSubstring("resolvectl"));
  finding =
      only(findings_of(with_state(0, "certificate_refused", "wrong name"), FakeMachine()), "peer");
  CHECK_THAT(finding.why, ContainsSubstring("this gateway refuses"));
}

TEST_CASE("an acceptor that is not up says if it refused handshakes or none arrived") {
  auto gateway = with_state(1, "waiting", "waiting for the peer");
  auto finding = only(findings_of(gateway, FakeMachine()), "peer");
  CHECK_THAT(finding.why, ContainsSubstring("no handshake arrived"));
  CHECK_THAT(finding.mend, ContainsSubstring("udp port 7754"));
  gateway.links[1].status["drops"]["certificate_refused"] = 3U;
  finding = only(findings_of(gateway, FakeMachine()), "peer");
  CHECK_THAT(finding.what, ContainsSubstring("it refused 3 handshakes (certificate_refused)"));
  gateway.links[1].status["drops"]["psk_stale"] = 1U;
  CHECK_THAT(only(findings_of(gateway, FakeMachine()), "peer").why, ContainsSubstring("clock"));
}

TEST_CASE("a certificate that two gateways share is found") {
  auto gateway = sound_gateway();
  gateway.links[0].status["takeovers"] = 20U;  // in months
  CHECK(findings_of(gateway, FakeMachine()).empty());
  gateway.links[0].status["certificate_shared"] = true;
  CHECK_THAT(only(findings_of(gateway, FakeMachine()), "takeovers").why,
             ContainsSubstring("share a certificate"));
}

TEST_CASE("a status of other types than expected is no crash") {
  auto gateway = sound_gateway();
  gateway.links[0].status = nlohmann::json::parse(
      R"({"state": 1, "reason": [], "reason_text": {}, "path_mtu": "x", "takeovers": -1,
          "drops": 7, "peer": "x", "settings_read": null, "udp_segment": 3})");
  only(findings_of(gateway, FakeMachine()), "peer");
}
