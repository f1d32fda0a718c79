#include "catch.hpp"
#include "sound_gateway.hpp"

using namespace routevpn;
using namespace routevpn::test;

namespace {

doctor::Finding bird_finding(const std::string& first_session) {
  FakeMachine machine;
  machine.programs[birdc] = {0, first_session};
  return only(findings_of(sound_gateway(), machine), "bird");
}

}  // namespace

TEST_CASE("a link that is up without its session is found") {
  const auto session = bird_session("IBGP_V2_1", "10.255.0.2", "Active", 0, 0);
  const auto finding = bird_finding(session);
  CHECK(finding.where == "rv1");
  CHECK(finding.what == "the link is up, but BIRD's session IBGP_V2_1 is Active");
  // Of a link that is down the link is the finding.
  FakeMachine machine;
  machine.programs[birdc] = {0, session};
  auto gateway = sound_gateway();
  gateway.links[0].status["state"] = "connecting";
  only(findings_of(gateway, machine), "peer");
}

TEST_CASE("a session that announces nothing of what is planned is found") {
  const auto session = bird_session("IBGP_V2_1", "10.255.0.2", "Established", 0, 1);
  CHECK(bird_finding(session).what ==
        "BIRD's session IBGP_V2_1 announces no route of ipv4, although 10.0.1.0/24 is planned");
  FakeMachine machine;
  machine.programs[birdc] = {0, session};
  machine.files["/etc/routevpn/bird/private.conf"] = "define OWN6 = [ 2001:db8:a1::/64 ];\n";
  CHECK(findings_of(sound_gateway(), machine).empty());
}

TEST_CASE("a session need not announce a family without planned prefixes") {
  FakeMachine machine;
  machine.programs[birdc] = {0, bird_session("IBGP_V2_1", "10.255.0.2", "Established", 1, 0)};
  machine.files["/etc/routevpn/bird/private.conf"] =
      "define OWN4 = [ 10.0.1.0/24 ];\ndefine OWN6 = [ ::/128 ];\n";
  CHECK(findings_of(sound_gateway(), machine).empty());
  machine.programs[birdc] = {0, bird_session("IBGP_V2_1", "10.255.0.2", "Established", 0, 1)};
  machine.files["/etc/routevpn/bird/private.conf"] =
      "define OWN4 = [ 0.0.0.0/32 ];\ndefine OWN6 = [ 2001:db8:a1::/64 ];\n";
  CHECK(findings_of(sound_gateway(), machine).empty());
}

TEST_CASE("a BIRD that does not run is found where there is a file for it") {
  FakeMachine machine;
  machine.programs[birdc] = {1, ""};
  CHECK_THAT(only(findings_of(sound_gateway(), machine), "bird").mend,
             ContainsSubstring("systemctl restart routevpn-bird@private"));
  machine.programs.erase(birdc);
  CHECK_THAT(only(findings_of(sound_gateway(), machine), "bird").mend,
             ContainsSubstring("apt install bird2"));
  machine.files.erase("/etc/routevpn/bird/private.conf");
  CHECK(findings_of(sound_gateway(), machine).empty());
}
