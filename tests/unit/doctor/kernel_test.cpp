#include "catch.hpp"
#include "sound_gateway.hpp"

using namespace routevpn;
using namespace routevpn::test;

TEST_CASE("a machine without TUN is found") {
  FakeMachine machine;
  machine.files.erase("/dev/net/tun");
  CHECK(only(findings_of(sound_gateway(), machine), "kernel").mend == "modprobe tun");
}

TEST_CASE("links that need nftables find a machine without it") {
  auto gateway = sound_gateway();
  FakeMachine machine;
  machine.programs["nft list tables"] = {1, ""};
  CHECK(findings_of(gateway, machine).empty());
  gateway.links[0].options.nat = true;
  CHECK(only(findings_of(gateway, machine), "kernel").mend == "modprobe nf_tables");
  machine.programs.erase("nft list tables");
  CHECK(only(findings_of(gateway, machine), "kernel").mend == "apt install nftables");
  gateway.links[0].options.nat = false;
  gateway.links[0].options.accept = {std::nullopt};  // routed
  CHECK(only(findings_of(gateway, machine), "kernel").mend == "apt install nftables");
}

TEST_CASE("what only makes links slower is a note") {
  FakeMachine machine;
  machine.release = "6.1.0-13-amd64";
  auto findings = findings_of(sound_gateway(), machine);
  CHECK(only(findings, "kernel").severity == doctor::Severity::note);
  CHECK_FALSE(doctor::has_fault(findings));
  machine.release = "6.2.0";
  CHECK(findings_of(sound_gateway(), machine).empty());
  auto gateway = sound_gateway();
  gateway.links[0].status["udp_segment"] = false;
  findings = findings_of(gateway, machine);
  CHECK(only(findings, "kernel").severity == doctor::Severity::note);
}

TEST_CASE("findings are printed as text and as JSON") {
  FakeMachine machine;
  machine.files.erase("/dev/net/tun");
  const auto findings = findings_of(sound_gateway(), machine);
  CHECK(doctor::has_fault(findings));
  CHECK(doctor::to_text(findings) ==
        "kernel: /dev/net/tun is missing\n"
        "  why:  links cannot make their interfaces\n"
        "  mend: modprobe tun\n");
  const auto json = doctor::to_json(findings);
  CHECK(json[0]["check"] == "kernel");
  CHECK(json[0]["severity"] == "fault");
  CHECK(json[0]["mend"] == "modprobe tun");
  CHECK(doctor::to_json({}).dump() == "[]");
}
