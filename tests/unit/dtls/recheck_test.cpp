#include "routevpn/dtls/recheck.hpp"

#include "catch.hpp"
#include "pair.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Role;

namespace {

std::string fault(const std::shared_ptr<const dtls::Identity>& identity, Role role,
                  const dtls::CertificateChain& chain) {
  const auto found = dtls::recheck(*identity, role, chain);
  if (!found) return "(none)";
  return (found->revoked ? "revoked: " : "") + found->text;
}

}  // namespace

TEST_CASE(
    "the certificates of a handshake are verified again by other credentials, in both roles") {
  TestCa ca;
  const auto v1 = ca.issue({"V3-1"});
  const auto v2 = ca.issue({"V3-2"});
  Pair pair(
      {make_identity(v1, ca.certificate(), "V3-2"), make_identity(v2, ca.certificate(), "V3-1")});
  REQUIRE(pair.run());
  const TestCa other("Other CA");
  for (const Role role : {Role::initiator, Role::acceptor}) {
    const bool initiator = role == Role::initiator;
    const auto& own = initiator ? v1 : v2;
    const auto& peer = initiator ? v2 : v1;
    const std::string name = initiator ? "V3-2" : "V3-1";
    const auto& established =
        initiator ? pair.initiator->established() : pair.acceptor->established();
    REQUIRE(established.peer_chain);
    const auto& chain = *established.peer_chain;
    REQUIRE(chain.size() == 1);
    const auto of = [&](const std::string& authority, const std::string& peer_name,
                        const std::string& crl = "") {
      return fault(make_identity(own, authority, peer_name, "", crl), role, chain);
    };
    const std::string refused = "certificate of " + name + " refused: ";
    CHECK(of(ca.certificate(), name) == "(none)");
    CHECK(of(ca.certificate(), "*") == "(none)");
    CHECK(of(ca.certificate(), name, ca.revoke({own.serial})) == "(none)");
    CHECK(of(other.certificate(), name) == refused + "not signed by our CA");
    CHECK(of(ca.certificate(), "V9-9") == refused + "name is " + name + ", not V9-9");
    CHECK(of(ca.certificate(), name, ca.revoke({peer.serial})) ==
          "revoked: " + refused + "revoked");
  }
}

TEST_CASE("a certificate for servers only is refused as an initiator's") {
  TestCa ca;
  const auto own = ca.issue({"V3-1"});
  const auto server = ca.issue({.name = "V3-2", .extended_key_usage = "serverAuth"});
  const auto identity = make_identity(own, ca.certificate(), "*");
  Pair pair({identity, make_identity(server, ca.certificate(), "*")});
  REQUIRE(pair.run());
  const auto& chain = *pair.initiator->established().peer_chain;
  CHECK(fault(identity, Role::initiator, chain) == "(none)");
  CHECK(fault(identity, Role::acceptor, chain) ==
        "certificate of V3-2 refused: not meant for TLS clients");
  CHECK(fault(identity, Role::acceptor, {}) == "the peer sent no certificate");
}
