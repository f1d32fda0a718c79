// Negative matrix, both roles: certificates that must be refused, each with its reason.
#include <ctime>
#include <functional>
#include <string>

#include "catch.hpp"
#include "matrix.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Role;

namespace {

const std::string expected_name = "peer.example.org";

struct Authorities {
  TestCa ours;
  TestCa other{"Other CA"};
  TestCa namesake;  // another key and the same name
  Issued own = ours.issue({.name = "own"});
  std::shared_ptr<const dtls::Identity> valid_peer =
      make_identity(ours.issue({.name = expected_name}), ours.certificate(), "own");
  Issued revoked = ours.issue({.name = expected_name});
  std::shared_ptr<const dtls::Identity> identity =
      make_identity(own, ours.certificate(), expected_name);
  std::shared_ptr<const dtls::Identity> with_crl =
      make_identity(own, ours.certificate(), expected_name, "", ours.revoke({revoked.serial}));
};

Authorities& authorities() {
  static Authorities made;
  return made;
}

struct Fault {
  std::string name;
  std::string words;  // empty: accepted
  LeafOptions leaf = {};
  Drop reason = Drop::certificate_refused;
};

// `leaf` has the expected name if it has none.
void check_certificate(Role ours, const std::string& name, const std::string& words,
                       const Issued& issued, Drop reason = Drop::certificate_refused,
                       bool with_crl = false) {
  const Authorities& all = authorities();
  const auto peers = std::make_shared<const scripted::Credentials>(issued.certificate, issued.key);
  check_row(ours, {with_crl ? all.with_crl : all.identity, peers, all.valid_peer},
            {.name = name,
             .ending = words.empty() ? Ending::completes : Ending::refused,
             .words = words,
             .reason = reason});
}

void check_faults(Role ours, TestCa& issuer, const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    LeafOptions leaf = fault.leaf;
    if (leaf.name.empty()) leaf.name = expected_name;
    check_certificate(ours, fault.name, fault.words, issuer.issue(leaf), fault.reason);
  }
}

std::string names_of_64_kib() {
  std::string names = "DNS:" + expected_name;
  while (names.size() < 65536) names += ",DNS:" + std::string(60, 'a') + ".example.org";
  return names;
}

}  // namespace

TEST_CASE("a certificate of another issuer is refused") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  Authorities& all = authorities();
  const std::string words = "certificate of peer.example.org refused: not signed by our CA";
  check_faults(ours, all.other, {{"of another CA", words}});
  check_faults(ours, all.namesake, {{"of another CA with the name of ours", words}});
  check_faults(ours, all.ours, {{"self-signed", words, {.self_signed = true}}});
  const Issued leaf = all.other.issue({.name = expected_name});
  check_certificate(ours, "of another CA, which is sent too", words,
                    {leaf.certificate + all.other.certificate(), leaf.key});
}

TEST_CASE("a certificate without its key is refused, and so are bytes that are no certificate") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  Authorities& all = authorities();
  const Issued copied = all.ours.issue({.name = expected_name});
  const Issued another = all.ours.issue({.name = expected_name});
  check_certificate(ours, "the key of another certificate", "signature",
                    {copied.certificate, another.key}, Drop::handshake_failed);
  const auto peers = std::make_shared<const scripted::Credentials>(copied.certificate, copied.key);
  const auto list = [&](const std::string& name, const std::string& words,
                        const scripted::Octets& body) {
    check_row(ours, {all.identity, peers, all.valid_peer},
              {.name = name,
               .words = words,
               .deviation = scripted::body_changed(scripted::Step::certificate,
                                                   [body](auto& old) { old = body; })});
  };
  list("a certificate of no bytes", "too small", {0, 0, 3, 0, 0, 0});
  list("no DER", "wrong tag", {0, 0, 8, 0, 0, 5, 1, 2, 3, 4, 5});
  list("a length behind the end", "length mismatch", {0, 0, 8, 0, 0, 9, 1, 2, 3, 4, 5});
}

TEST_CASE("a certificate that has another name is refused") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  check_faults(
      ours, authorities().ours,
      {
          {"right name", "", {}},
          {"wrong name", "name is V9-1, not peer.example.org", {.name = "V9-1"}},
          {"wildcard", "name is *.example.org, not", {.alternative_names = "DNS:*.example.org"}},
          {"wildcard as CN",
           "name is *.example.org, not",
           {.name = "*.example.org", .alternative_names = ""}},
          {"partial wildcard",
           "name is p*.example.org",
           {.alternative_names = "DNS:p*.example.org"}},
          {"parent domain", "name is example.org, not", {.alternative_names = "DNS:example.org"}},
          {"name below",
           "name is a.peer.example.org",
           {.alternative_names = "DNS:a.peer.example.org"}},
          {"right name as CN without a subjectAltName", "", {.alternative_names = ""}},
          {"right name as CN beside another DNS name",
           "name is other, not",
           {.alternative_names = "DNS:other"}},
          {"right name as an e-mail address",
           "name is V9-1, not",
           {.name = "V9-1", .alternative_names = "email:peer@peer.example.org"}},
          {"a blank as name", "name is  , not", {.name = " ", .alternative_names = ""}},
      });
}

TEST_CASE("a certificate outside its validity or revoked is refused") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  Authorities& all = authorities();
  check_faults(
      ours, all.ours,
      {
          {"expired", "expired on", {.begins_in_days = -9, .ends_in_days = -1}},
          {"not yet valid", "not valid before", {.begins_in_days = 2}},
          {"ends before it begins", "expired on", {.begins_in_days = -1, .ends_in_days = -3}},
      });
  check_certificate(ours, "revoked", "refused: revoked", all.revoked, Drop::certificate_refused,
                    true);
  check_certificate(ours, "not revoked", "", all.ours.issue({.name = expected_name}), {}, true);
}

TEST_CASE("a certificate that does not allow its use is refused") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  const std::string words =
      ours == Role::acceptor ? "not meant for TLS clients" : "not meant for TLS servers";
  const std::string opposite = ours == Role::acceptor ? "serverAuth" : "clientAuth";
  check_faults(
      ours, authorities().ours,
      {
          {"of the other role", words, {.extended_key_usage = opposite}},
          {"for code", words, {.extended_key_usage = "codeSigning"}},
          {"key agreement alone", words, {.key_usage = "critical,keyAgreement"}},
          {"encryption alone", words, {.key_usage = "keyEncipherment"}},
          {"signature of certificates alone", words, {.key_usage = "keyCertSign"}},
          {"of a CA that may sign messages too",
           "belongs to a CA",
           {.key_usage = "critical,digitalSignature,keyCertSign",
            .basic_constraints = "critical,CA:TRUE"}},
          {"of a CA",
           words,
           {.key_usage = "critical,keyCertSign,cRLSign", .basic_constraints = "critical,CA:TRUE"}},
      });
}

TEST_CASE("a certificate with a weak or foreign key is refused") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  const std::string too_small = "EE certificate key too weak";
  check_faults(
      ours, authorities().ours,
      {
          {"RSA of 1024 bits", too_small, {.key = KeyKind::rsa1024}},
          {"P-192", too_small, {.key = KeyKind::p192}},
          {"P-224", "wrong curve", {.key = KeyKind::p224}, Drop::handshake_failed},
          {"P-521", "wrong curve", {.key = KeyKind::p521}, Drop::handshake_failed},
          {"secp256k1", "wrong curve", {.key = KeyKind::secp256k1}, Drop::handshake_failed},
          {"signed with SHA-1", "CA signature digest algorithm too weak", {.sha1 = true}},
          {"RSA of 2048 bits", "", {.key = KeyKind::rsa2048}},
          {"Ed25519", "", {.key = KeyKind::ed25519}},
      });
}

TEST_CASE("a chain or a certificate of excessive size is refused") {
  const auto ours = GENERATE(Role::acceptor, Role::initiator);
  Authorities& all = authorities();
  const Issued large =
      all.ours.issue({.name = expected_name, .alternative_names = names_of_64_kib()});
  check_row(
      ours,
      {all.identity, std::make_shared<const scripted::Credentials>(large.certificate, large.key),
       all.valid_peer},
      {.name = "64 KiB of names", .ending = Ending::times_out, .words = "handshake_malformed"});

  TestCa intermediate("Intermediate 1", all.ours);
  std::string chain = intermediate.certificate();
  int made = 1;
  const auto lengthen_to = [&](int intermediates) {
    while (made < intermediates) {
      intermediate = TestCa("Intermediate " + std::to_string(++made), intermediate);
      chain.insert(0, intermediate.certificate());
    }
    const Issued leaf = intermediate.issue({.name = expected_name});
    return Issued{leaf.certificate + chain, leaf.key};
  };
  check_certificate(ours, "4 intermediate CAs", "", lengthen_to(4));
  check_certificate(ours, "5 intermediate CAs", "certificate chain too long", lengthen_to(5));
  check_certificate(ours, "20 certificates", "certificate chain too long", lengthen_to(19));
}
