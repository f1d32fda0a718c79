// Refused certificates, and the texts of the refusals.
#include <ctime>

#include <openssl/err.h>

#include "catch.hpp"
#include "pair.hpp"
#include "plain_peer.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Progress;

namespace {

// The acceptor V3-2 has a valid certificate; the initiator has the tested one.
struct Outcome {
  bool completed;
  dtls::HandshakeFailure acceptor;
  dtls::HandshakeFailure initiator;
};

Outcome run(TestCa& ca, const Issued& initiators, const std::string& expected = "V3-1",
            const std::string& crl = "") {
  Pair pair({make_identity(initiators, ca.certificate(), "V3-2"),
             make_identity(ca.issue({.name = "V3-2"}), ca.certificate(), expected, "", crl)});
  const bool completed = pair.run();
  REQUIRE(pair.acceptor != nullptr);
  CHECK(ERR_peek_error() == 0);
  return {completed, pair.acceptor->failure(), pair.initiator->failure()};
}

// Uses an initiator that does not check its own certificate.
dtls::HandshakeFailure run_raw(TestCa& ca, const Issued& initiators) {
  const Time now(std::chrono::hours(1));
  dtls::Listener listener(make_identity(ca.issue({.name = "V3-2"}), ca.certificate(), "V3-1"));
  PlainPeer plain(dtls::Role::initiator, initiators, ca.certificate());
  const auto ours = accept(listener, plain, now);
  REQUIRE(ours != nullptr);
  exchange(*ours, plain, now);
  CHECK(ours->progress() == Progress::failed);
  CHECK_FALSE(plain.completed());
  CHECK(ERR_peek_error() == 0);
  return ours->failure();
}

std::string date_in(int days) {
  const std::time_t when = std::time(nullptr) + days * 24L * 60 * 60;
  std::tm tm{};
  gmtime_r(&when, &tm);
  char text[11];
  REQUIRE(std::strftime(text, sizeof text, "%Y-%m-%d", &tm) == 10);
  return text;
}

}  // namespace

TEST_CASE("the acceptor checks the initiator's name") {
  struct Case {
    LeafOptions leaf;
    std::string expected;
    std::string fault;  // empty: accepted
  };
  const auto test = GENERATE(values<Case>({
      {{.name = "V3-1"}, "V3-1", ""},
      {{.name = "V3-1"}, "v3-1", ""},  // DNS names are not case-sensitive
      {{.name = "V3-1"}, "V3-9", "certificate of V3-1 refused: name is V3-1, not V3-9"},
      {{.name = "V3-1"}, "*", ""},
      {{.name = "a", .alternative_names = "DNS:b,DNS:V3-1"}, "V3-1", ""},
      // The CN is used only without a DNS name.
      {{.name = "V3-1", .alternative_names = "DNS:other"},
       "V3-1",
       "certificate of other refused: name is other, not V3-1"},
      {{.name = "V3-1", .alternative_names = ""}, "V3-1", ""},
      {{.name = "V3-1", .alternative_names = "IP:192.0.2.1"}, "V3-1", ""},
      {{.name = "V3-1", .alternative_names = "IP:192.0.2.1"},
       "192.0.2.1",
       "certificate of V3-1 refused: name is V3-1, not 192.0.2.1"},
      {{.name = "x", .alternative_names = "DNS:*.example.org"},
       "v3.example.org",
       "certificate of *.example.org refused: name is *.example.org, not v3.example.org"},
      {{.name = "*.example.org", .alternative_names = ""},
       "v3.example.org",
       "certificate of *.example.org refused: name is *.example.org, not v3.example.org"},
  }));
  CAPTURE(test.leaf.name, test.leaf.alternative_names, test.expected);
  TestCa ca;
  const auto outcome = run(ca, ca.issue(test.leaf), test.expected);
  CHECK(outcome.completed == test.fault.empty());
  CHECK(outcome.acceptor.text == test.fault);
  if (!test.fault.empty()) {
    CHECK(outcome.acceptor.reason == Drop::certificate_refused);
    CHECK(outcome.initiator.reason == Drop::handshake_failed);
    CHECK(outcome.initiator.text ==
          "the peer refused our certificate, for example because its --peer-name differs (alert "
          "\"bad certificate\")");
    CHECK(outcome.initiator.cause == dtls::refused_by_peer);
  }
}

TEST_CASE("the initiator checks the acceptor's name as well") {
  TestCa ca;
  Pair pair({make_identity(ca.issue({.name = "V3-1"}), ca.certificate(), "V3-9"),
             make_identity(ca.issue({.name = "V3-2"}), ca.certificate(), "V3-1")});
  CHECK_FALSE(pair.run());
  CHECK(pair.initiator->failure().reason == Drop::certificate_refused);
  CHECK(pair.initiator->failure().text == "certificate of V3-2 refused: name is V3-2, not V3-9");
}

TEST_CASE("a certificate of another CA is refused, also of one with the same name") {
  TestCa ca;
  TestCa other(GENERATE("Other CA", "Test CA"));
  Pair pair({make_identity(other.issue({.name = "V3-1"}), ca.certificate(), "V3-2"),
             make_identity(ca.issue({.name = "V3-2"}), ca.certificate(), "*")});
  CHECK_FALSE(pair.run());
  REQUIRE(pair.acceptor != nullptr);
  CHECK(pair.acceptor->failure().reason == Drop::certificate_refused);
  CHECK(pair.acceptor->failure().text == "certificate of V3-1 refused: not signed by our CA");
}

TEST_CASE("a certificate must allow signatures and its role") {
  struct Case {
    const char* usage;
    const char* extended;
    bool accepted;
  };
  const auto test = GENERATE(Case{"", "", true}, Case{"critical,digitalSignature", "", true},
                             Case{"critical,digitalSignature", "clientAuth", true},
                             Case{"", "serverAuth,clientAuth", true}, Case{"", "serverAuth", false},
                             Case{"critical,keyAgreement", "clientAuth", false},
                             Case{"keyEncipherment", "", false});
  CAPTURE(test.usage, test.extended);
  TestCa ca;
  const auto outcome = run(
      ca, ca.issue({.name = "V3-1", .extended_key_usage = test.extended, .key_usage = test.usage}));
  CHECK(outcome.completed == test.accepted);
  CHECK(outcome.acceptor.text ==
        (test.accepted ? "" : "certificate of V3-1 refused: not meant for TLS clients"));
}

TEST_CASE("a revoked certificate is refused") {
  TestCa ca;
  const Issued issued = ca.issue({.name = "V3-1"});
  const auto outcome = run(ca, issued, "V3-1", ca.revoke({issued.serial}));
  CHECK_FALSE(outcome.completed);
  CHECK(outcome.acceptor.reason == Drop::certificate_refused);
  CHECK(outcome.acceptor.text == "certificate of V3-1 refused: revoked");
  CHECK(outcome.initiator.text ==
        "the peer refused our certificate as revoked (alert \"certificate revoked\")");
  CHECK(run(ca, ca.issue({.name = "V3-1"}), "V3-1", ca.revoke({issued.serial})).completed);
}

namespace {

Issued with_chain(Issued leaf, const TestCa& issuer) {
  leaf.certificate += issuer.certificate();
  return leaf;
}

}  // namespace

TEST_CASE("a CRL is applied to the whole chain") {
  TestCa root;
  TestCa intermediate("Regional CA", root);
  const Issued initiators = with_chain(intermediate.issue({.name = "V3-1"}), intermediate);
  const Issued acceptors = root.issue({.name = "V3-2"});
  const auto refusal = [&](const std::string& ca, const std::string& crl) {
    Pair pair({make_identity(initiators, root.certificate(), "V3-2"),
               make_identity(acceptors, ca, "V3-1", "", crl)});
    pair.run();
    REQUIRE(pair.acceptor != nullptr);
    return pair.acceptor->failure().text;
  };
  const auto both = root.certificate() + intermediate.certificate();
  CHECK(refusal(root.certificate(), "").empty());
  CHECK(refusal(both, root.revoke({}) + intermediate.revoke({})).empty());
  CHECK(refusal(both, root.revoke({}) + intermediate.revoke({initiators.serial})) ==
        "certificate of V3-1 refused: revoked");
  CHECK(refusal(both, root.revoke({intermediate.serial()}) + intermediate.revoke({})) ==
        "certificate of V3-1 refused: its CA CN=Regional CA revoked");
  // The peer sends an intermediate CA of which --ca and --crl have nothing.
  CHECK(refusal(root.certificate(), root.revoke({})) ==
        "certificate of V3-1 refused: was issued by CN=Regional CA, of which our --crl has no CRL");
}

TEST_CASE("a stranger's names cannot fill the text of a refusal") {
  TestCa ca;
  TestCa strangers("Other CA");
  const std::string label(60, 'x');
  std::string names = "DNS:" + label;
  for (int i = 0; i < 200; ++i) names[names.size() - 1] = 'x', names += '.' + label;
  const Issued issued = strangers.issue({.name = "V3-1", .alternative_names = names});
  const auto failure = run_raw(ca, issued);
  CHECK(failure.reason == Drop::certificate_refused);
  CHECK(failure.text == "certificate of " + label + ".... refused: not signed by our CA");
  const auto mismatch = run_raw(ca, ca.issue({.name = "V3-1", .alternative_names = names}));
  CHECK(mismatch.text.size() < 200);
}

// Loading refuses such certificates, but a certificate may expire while its owner uses it.
TEST_CASE("a certificate outside its validity is refused") {
  struct Case {
    LeafOptions leaf;
    std::string fault;
  };
  const auto test = GENERATE(values<Case>({
      {{.name = "V3-1", .begins_in_days = -9, .ends_in_days = -3},
       "certificate of V3-1 refused: expired on " + date_in(-3)},
      {{.name = "V3-1", .begins_in_days = 3},
       "certificate of V3-1 refused: not valid before " + date_in(3)},
  }));
  TestCa ca;
  const auto outcome = run_raw(ca, ca.issue(test.leaf));
  CHECK(outcome.reason == Drop::certificate_refused);
  CHECK(outcome.text.starts_with(test.fault + "; our clock has 20"));
}

TEST_CASE("a small RSA key and other curves are refused") {
  const auto key = GENERATE(KeyKind::rsa1024, KeyKind::p521);
  TestCa ca;
  const auto outcome = run_raw(ca, ca.issue({.name = "V3-1", .key = key}));
  CHECK_FALSE(outcome.text.empty());
}
