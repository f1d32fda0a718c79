// --crl-grace: an expired CRL that is still in force.
#include "routevpn/dtls/credentials.hpp"
#include "routevpn/dtls/recheck.hpp"

#include "catch.hpp"
#include "identity_files.hpp"
#include "pair.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::test;
using Catch::Matchers::StartsWith;
using dtls::Role;
using std::chrono::days;

namespace {

using IdentityPtr = std::shared_ptr<const dtls::Identity>;

IdentityPtr identity_of(const Issued& own, const TestCa& ca, const std::string& crl, days grace) {
  const TempDir dir;
  const auto files = write_files(dir, "own", own, ca.certificate(), crl);
  return dtls::Identity::make(dtls::load_credentials(files, {grace, false}), {"*", "", grace});
}

// The clock is later by this time until the end of the scope: identities of other tests begin now.
class Later {
 public:
  explicit Later(days by) { virtual_clock::set(Time(by)); }
  ~Later() { virtual_clock::set({}); }
  Later(const Later&) = delete;
  Later& operator=(const Later&) = delete;
};

struct Gateways {
  TestCa ca;
  Issued a = ca.issue({.name = "V3-1"});
  Issued b = ca.issue({.name = "V3-2"});

  // Runs a handshake in which both ends have this CRL. Empty: completed.
  [[nodiscard]] std::string failure(const std::string& crl, days grace) const {
    Pair pair({identity_of(a, ca, crl, grace), identity_of(b, ca, crl, grace)});
    if (pair.run()) return {};
    return pair.initiator->failure().text;
  }
};

}  // namespace

TEST_CASE("an expired CRL is in force within its grace, and refuses every peer after it") {
  const Gateways gateways;
  const auto crl = gateways.ca.revoke({}, -5);
  CHECK(gateways.failure(crl, days(30)).empty());
  CHECK(gateways.failure(crl, days(6)).empty());
  const std::string refused = "certificate of V3-2 refused: our CRL has expired";
  CHECK(gateways.failure(crl, days(4)) == refused);
  CHECK(gateways.failure(crl, days(0)) == refused);
}

TEST_CASE("within its grace a CRL still refuses what it revokes") {
  const Gateways gateways;
  CHECK(gateways.failure(gateways.ca.revoke({gateways.b.serial}, -5), days(30)) ==
        "certificate of V3-2 refused: revoked");
}

TEST_CASE("the grace is for the CRL alone: an expired certificate is refused") {
  Gateways gateways;
  const auto own = gateways.a;
  const auto crl = gateways.ca.revoke({}, -5);
  const auto identity = identity_of(own, gateways.ca, crl, days(30));
  virtual_clock::begin({});
  const auto brief = gateways.ca.issue({.name = "V3-2", .ends_in_days = 1});
  Pair pair({identity, identity_of(brief, gateways.ca, crl, days(30))});
  REQUIRE(pair.run());
  const auto chain = *pair.initiator->established().peer_chain;
  CHECK_FALSE(dtls::recheck(*identity, Role::initiator, chain));
  const Later later(days(2));
  const auto fault = dtls::recheck(*identity, Role::initiator, chain);
  REQUIRE(fault);
  CHECK_THAT(fault->text, StartsWith("certificate of V3-2 refused: expired on"));
}

TEST_CASE("the grace ends by the clock, in both roles") {
  virtual_clock::begin({});
  const Gateways gateways;
  const auto crl = gateways.ca.revoke({}, 1);
  const auto identity = identity_of(gateways.a, gateways.ca, crl, days(5));
  Pair pair({identity, identity_of(gateways.b, gateways.ca, crl, days(5))});
  REQUIRE(pair.run());
  const auto chain = *pair.initiator->established().peer_chain;
  for (const Role role : {Role::initiator, Role::acceptor}) {
    {
      const Later later(days(5));
      CHECK_FALSE(dtls::recheck(*identity, role, chain));
    }
    const Later later(days(7));
    const auto fault = dtls::recheck(*identity, role, chain);
    REQUIRE(fault);
    CHECK(fault->text == "certificate of V3-2 refused: our CRL has expired");
  }
}

TEST_CASE("a CRL after its grace is refused by a reload, and taken at a start") {
  Files f;
  f.files.crl = f.dir.write("ca.crl", f.ca.revoke({7}, -5));
  CHECK(f.fault({"V3-2", "", days(30)}) == "(none)");
  const auto fault = f.fault({"V3-2", "", days(4)});
  CHECK_THAT(fault, StartsWith("may end: --crl " + f.files.crl + ": expired on 20"));
  CHECK_THAT(fault, ContainsSubstring(", more than --crl-grace (4 days) ago: the CA must issue"));
  CHECK(dtls::load_credentials(f.files, {days(4), false}).revocations.size() == 1);
}
