// Forwarding, the reverse path filter, the MTU and the clock.
#include "catch.hpp"
#include "sound_gateway.hpp"

using namespace routevpn;
using namespace routevpn::test;

TEST_CASE("a sound gateway has no finding") {
  const auto findings = findings_of(sound_gateway(), FakeMachine());
  CAPTURE(doctor::to_text(findings));
  CHECK(findings.empty());
}

TEST_CASE("forwarding that is off is found once in a namespace, for each family that links carry") {
  auto gateway = sound_gateway();
  FakeMachine machine;
  machine.sysctls[{"private", "ipv4/ip_forward"}] = "0";
  const auto finding = only(findings_of(gateway, machine), "forwarding");
  CHECK(finding.where == "namespace private");
  CHECK(finding.what == "forwarding of IPv4 is off");
  CHECK(finding.mend == "ip netns exec private sysctl -w net.ipv4.ip_forward=1");
  machine.sysctls[{"private", "ipv6/conf/all/forwarding"}] = "0";
  CHECK(findings_of(gateway, machine).size() == 2);
  for (auto& link : gateway.links) link.options.addresses.pop_back();  // no IPv6 inside
  CHECK(findings_of(gateway, machine).size() == 1);
}

TEST_CASE("a link of the host alone needs no forwarding") {
  auto gateway = sound_gateway();
  gateway.links.resize(1);
  gateway.links[0].options.netns = "";
  FakeMachine machine;
  machine.sysctls[{"", "ipv4/ip_forward"}] = "0";
  CHECK(findings_of(gateway, machine).empty());
  gateway.links[0].options.nat = true;
  only(findings_of(gateway, machine), "forwarding");
}

TEST_CASE("a strict reverse path filter is found where a namespace has several links") {
  auto gateway = sound_gateway();
  FakeMachine machine;
  machine.sysctls[{"private", "ipv4/conf/rv2/rp_filter"}] = "1";
  CHECK(only(findings_of(gateway, machine), "rp_filter").where == "rv2");
  machine.sysctls[{"private", "ipv4/conf/all/rp_filter"}] = "2";  // the greater value counts
  CHECK(findings_of(gateway, machine).empty());
  machine.sysctls[{"private", "ipv4/conf/all/rp_filter"}] = "1";
  gateway.links.resize(1);
  CHECK(findings_of(gateway, machine).empty());
}

TEST_CASE("a strict reverse path filter outside that ignores marks is found with --fwmark") {
  auto gateway = sound_gateway();
  FakeMachine machine;
  machine.sysctls[{"", "ipv4/conf/all/rp_filter"}] = "1";
  CHECK(findings_of(gateway, machine).empty());
  gateway.links[0].options.fwmark = 7;
  CHECK(only(findings_of(gateway, machine), "rp_filter").mend ==
        "sysctl -w net.ipv4.conf.all.src_valid_mark=1");
  machine.sysctls[{"", "ipv4/conf/all/src_valid_mark"}] = "1";
  CHECK(findings_of(gateway, machine).empty());
}

TEST_CASE("an interface whose packets do not fit the path is found") {
  auto gateway = sound_gateway();
  auto& link = gateway.links[0];
  // Over IPv6 with AES-GCM a record adds 40 + 8 + 13 + 8 + 16 = 85 bytes.
  link.status["path_mtu"] = 1499U;
  auto finding = only(findings_of(gateway, FakeMachine()), "mtu");
  CHECK_THAT(finding.mend, ContainsSubstring("raise the MTU of the path to 1365 bytes") &&
                               ContainsSubstring("tracepath -n 2001:db8:3::1"));
  link.options.mtu = 1415;
  finding = only(findings_of(gateway, FakeMachine()), "mtu");
  CHECK_THAT(finding.mend, ContainsSubstring("remove the line 'mtu ='"));
  link.status["remote"] = "192.0.2.1:7754";
  CHECK(findings_of(gateway, FakeMachine()).empty());
}

TEST_CASE("a clock that is not synchronised is found") {
  FakeMachine machine;
  machine.clock_state = doctor::ClockState::unknown;
  CHECK(findings_of(sound_gateway(), machine).empty());
  machine.clock_state = doctor::ClockState::unsynchronised;
  CHECK_THAT(only(findings_of(sound_gateway(), machine), "clock").mend,
             ContainsSubstring("timedatectl"));
  machine.programs["chronyc -n tracking"] = {0, ""};
  CHECK_THAT(only(findings_of(sound_gateway(), machine), "clock").mend,
             ContainsSubstring("chrony"));
}

TEST_CASE("a namespace that does not exist is named once, with its links") {
  FakeMachine machine;
  machine.missing_spaces = {"private"};
  auto finding = only(findings_of(sound_gateway(), machine), "namespace");
  CHECK(finding.where == "namespace private");
  CHECK(finding.what == "the namespace does not exist");
  CHECK(finding.why == "these links cannot start: rv1, rv2");
  CHECK(finding.mend == "ip netns add private");
  machine.files["/etc/routevpn/netns/private.conf"] = "";
  finding = only(findings_of(sound_gateway(), machine), "namespace");
  CHECK(finding.mend == "systemctl start routevpn-netns@private.service");

  auto gateway = sound_gateway();
  gateway.links[1].options.public_netns = "outside";
  machine.missing_spaces = {"outside"};
  finding = only(findings_of(gateway, machine), "namespace");
  CHECK(finding.where == "namespace outside");
  CHECK(finding.why == "these links cannot start: rv2");
  gateway.links[1].options.public_netns = "/run/none";
  machine.missing_spaces = {"/run/none"};
  CHECK_THAT(only(findings_of(gateway, machine), "namespace").mend,
             ContainsSubstring("correct netns"));
}

TEST_CASE("of a missing namespace each link is named, also one whose name ends another's") {
  auto gateway = sound_gateway();
  gateway.links[0].name = "east";
  gateway.links[1].name = "st";
  FakeMachine machine;
  machine.missing_spaces = {"private"};
  doctor::Findings findings;
  doctor::check_namespaces(gateway, machine, findings);
  CHECK(only(findings, "namespace").why == "these links cannot start: east, st");
}
