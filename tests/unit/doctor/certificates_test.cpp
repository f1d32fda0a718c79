#include "catch.hpp"
#include "sound_gateway.hpp"

using namespace routevpn;
using namespace routevpn::test;
using std::chrono::days;

namespace {

const std::string own = "/etc/routevpn/pki/V1-1.cert";
const std::string authority = "/etc/routevpn/pki/ca.cert";
const std::string list = "/etc/routevpn/pki/ca.crl";

doctor::Finding finding_with(const FakeMachine& machine) {
  return only(findings_of(sound_gateway(), machine), "certificate");
}

}  // namespace

TEST_CASE("a certificate that the clock refuses is found") {
  FakeMachine machine;
  machine.wall -= days{400};
  auto finding = finding_with(machine);
  CHECK_THAT(finding.what, ContainsSubstring("not yet valid"));
  CHECK_THAT(finding.mend, ContainsSubstring("timedatectl"));

  FakeMachine expired;
  TestCa ca;
  expired.files[own] =
      ca.issue({.name = "V1-1", .begins_in_days = -9, .ends_in_days = -1}).certificate;
  expired.files[authority] = ca.certificate();
  expired.files[list] = ca.revoke({}, 365);
  finding = finding_with(expired);
  CHECK(finding.what == "the certificate has expired");
  CHECK_THAT(finding.mend, ContainsSubstring("routevpn pki renew"));
}

TEST_CASE("a certificate of another CA and a revoked one are found") {
  TestCa other("Other CA");
  FakeMachine machine;
  machine.files[authority] = other.certificate();
  machine.files[list] = other.revoke({}, 365);
  CHECK(finding_with(machine).what == "the certificate is not from the CA in " + authority);

  FakeMachine revoking;
  revoking.files[list] = certificates().ca.revoke({certificates().own.serial}, 365);
  CHECK(finding_with(revoking).what == "the certificate is revoked");
}

TEST_CASE("a CRL that has expired or is from another CA is found") {
  FakeMachine machine;
  machine.files[list] = certificates().ca.revoke({}, 30);
  machine.wall += days{31};
  auto finding = finding_with(machine);
  CHECK(finding.what == "the CRL has expired");
  CHECK_THAT(finding.why, ContainsSubstring("--crl-grace"));
  machine.wall += days{30};
  CHECK(finding_with(machine).why == "every peer is refused");

  FakeMachine other;
  other.files[list] = TestCa("Other CA").revoke({}, 365);
  CHECK(finding_with(other).where == list);
}

TEST_CASE("what ends soon is a note first, and a fault when its renewal is overdue") {
  TestCa ca;
  FakeMachine machine;
  machine.files[authority] = ca.certificate();
  machine.files[list] = ca.revoke({}, 365);
  const auto ends_in = [&](int left) {
    machine.files[own] =
        ca.issue({.name = "V1-1", .begins_in_days = left - 90, .ends_in_days = left}).certificate;
  };
  ends_in(31);
  CHECK(findings_of(sound_gateway(), machine).empty());
  ends_in(20);
  CHECK(finding_with(machine).severity == doctor::Severity::note);
  ends_in(5);
  CHECK(finding_with(machine).severity == doctor::Severity::fault);
}

TEST_CASE("files that are missing or hold something else are found") {
  for (const auto& path : {own, authority, list}) {
    FakeMachine machine;
    machine.files.erase(path);
    auto finding = finding_with(machine);
    CHECK(finding.where == path);
    CHECK_THAT(finding.what, ContainsSubstring("cannot be read"));
    machine.files[path] = "something else";
    CHECK_THAT(finding_with(machine).what, ContainsSubstring("the file holds no"));
  }
}

TEST_CASE("the end of the peer's certificate is found") {
  auto gateway = sound_gateway();
  FakeMachine machine;
  gateway.links[0].status["peer"]["not_after"] = pki::to_text(machine.wall + days{6});
  const auto finding = only(findings_of(gateway, machine), "certificate");
  CHECK_THAT(finding.what, ContainsSubstring("the certificate of the peer V2-1 ends at"));
  CHECK_THAT(finding.mend, ContainsSubstring("--name V2-1;"));
  gateway.links[0].status["peer"]["name"] = "V2-1; reboot";
  CHECK_THAT(only(findings_of(gateway, machine), "certificate").mend,
             ContainsSubstring("--name NAME;"));
}
