// The result of a handshake for every suite and kind of certificate, checked against the records
// that OpenSSL sealed.
#include "routevpn/dtls/handshake.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <openssl/err.h>

#include "routevpn/record/open.hpp"

#include "catch.hpp"
#include "forged.hpp"
#include "pair.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Established;
using record::CipherSuite;

namespace {

struct Case {
  const char* cipher;
  KeyKind key;
  CipherSuite suite;
};

// Opens the peer's Finished with the derived keys: 12 bytes of header and 12 of verify_data.
std::size_t opened_bytes(const Established& established, SealedRecord sealed) {
  record::Opener opener(record::CryptoBackend::openssl, established.suite, established.receive);
  const auto split = record::split_first(sealed.bytes);
  REQUIRE_FALSE(split.fault);
  const auto opened = opener.open(split.header, split.record);
  REQUIRE_FALSE(opened.fault);
  return opened.payload.size();
}

bool same(const record::DirectionKeys& a, const record::DirectionKeys& b) {
  return a.key == b.key && a.iv == b.iv;
}

}  // namespace

TEST_CASE("every suite works with every kind of certificate that it allows") {
  const auto test = GENERATE(
      Case{"ECDHE-ECDSA-AES128-GCM-SHA256", KeyKind::p256, CipherSuite::aes_128_gcm},
      Case{"ECDHE-ECDSA-AES128-GCM-SHA256", KeyKind::p384, CipherSuite::aes_128_gcm},
      Case{"ECDHE-ECDSA-AES128-GCM-SHA256", KeyKind::ed25519, CipherSuite::aes_128_gcm},
      Case{"ECDHE-ECDSA-AES256-GCM-SHA384", KeyKind::p256, CipherSuite::aes_256_gcm},
      Case{"ECDHE-ECDSA-AES256-GCM-SHA384", KeyKind::p384, CipherSuite::aes_256_gcm},
      Case{"ECDHE-ECDSA-AES256-GCM-SHA384", KeyKind::ed25519, CipherSuite::aes_256_gcm},
      Case{"ECDHE-ECDSA-CHACHA20-POLY1305", KeyKind::p256, CipherSuite::chacha20_poly1305},
      Case{"ECDHE-ECDSA-CHACHA20-POLY1305", KeyKind::p384, CipherSuite::chacha20_poly1305},
      Case{"ECDHE-ECDSA-CHACHA20-POLY1305", KeyKind::ed25519, CipherSuite::chacha20_poly1305},
      Case{"ECDHE-RSA-AES128-GCM-SHA256", KeyKind::rsa2048, CipherSuite::aes_128_gcm},
      Case{"ECDHE-RSA-AES256-GCM-SHA384", KeyKind::rsa2048, CipherSuite::aes_256_gcm},
      Case{"ECDHE-RSA-CHACHA20-POLY1305", KeyKind::rsa2048, CipherSuite::chacha20_poly1305});
  CAPTURE(test.cipher, static_cast<int>(test.key));
  Pair pair(make_identities(test.key, test.cipher));
  const bool completed = pair.run();
  CAPTURE(pair.initiator->failure().text, pair.acceptor->failure().text);
  REQUIRE(completed);
  CHECK(pair.retransmissions == 0);

  const Established& a = pair.initiator->established();
  const Established& b = pair.acceptor->established();
  CHECK(a.role == dtls::Role::initiator);
  CHECK(b.role == dtls::Role::acceptor);
  CHECK(a.suite == test.suite);
  CHECK(b.suite == test.suite);
  CHECK(a.cipher_name == test.cipher);
  CHECK(a.control_messages);
  CHECK(b.control_messages);
  CHECK(a.peer.name == "V3-2");
  CHECK(b.peer.name == "V3-1");
  CHECK(same(a.send, b.receive));
  CHECK(same(a.receive, b.send));
  CHECK_FALSE(same(a.send, a.receive));
  CHECK(std::ranges::equal(pair.initiator->client_random(), pair.acceptor->client_random()));

  const auto from_initiator = epoch_one_records(pair.from_initiator);
  const auto from_acceptor = epoch_one_records(pair.from_acceptor);
  REQUIRE(from_initiator.size() == 1);
  REQUIRE(from_acceptor.size() == 1);
  CHECK(opened_bytes(a, from_acceptor[0]) == 12 + 12);
  CHECK(opened_bytes(b, from_initiator[0]) == 12 + 12);
  CHECK(a.first_send_sequence == from_initiator[0].sequence + 1 + dtls::Handshake::sequence_gap);

  for (const auto& datagram : pair.from_initiator) CHECK(datagram.size() <= 1280 - 40 - 8);
  for (const auto& datagram : pair.from_acceptor) CHECK(datagram.size() <= 1280 - 40 - 8);
  CHECK_FALSE(pair.initiator->deadline());
  CHECK_FALSE(pair.acceptor->deadline());
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("the default list prefers AES-128-GCM") {
  const auto key = GENERATE(KeyKind::p256, KeyKind::rsa2048);
  Pair pair(make_identities(key));
  REQUIRE(pair.run());
  CHECK(pair.initiator->established().suite == CipherSuite::aes_128_gcm);
}

TEST_CASE("without a shared suite both ends fail, and the initiator reports the alert") {
  TestCa ca;
  Pair pair({make_identity(ca.issue({.name = "V3-1"}), ca.certificate(), "V3-2",
                           "ECDHE-ECDSA-AES128-GCM-SHA256"),
             make_identity(ca.issue({.name = "V3-2"}), ca.certificate(), "V3-1",
                           "ECDHE-ECDSA-CHACHA20-POLY1305")});
  REQUIRE_FALSE(pair.run());
  REQUIRE(pair.acceptor->progress() == dtls::Progress::failed);
  CHECK(pair.acceptor->failure().text == "handshake failed: no shared cipher");
  REQUIRE(pair.initiator->progress() == dtls::Progress::failed);
  CHECK(pair.initiator->failure().reason == Drop::handshake_failed);
  CHECK(pair.initiator->failure().text ==
        "the peer refused the handshake (alert \"handshake failure\")");
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("garbage in epoch 0 or 1 is ignored, and application data does not reach OpenSSL") {
  Pair pair(make_identities());
  const Datagram application_in_clear = {23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 2};
  const Datagram sealed_junk = {22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4};
  const Datagram unknown_type = {77, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 1};
  const Datagram truncated = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 1};
  const auto throw_at = [&](dtls::Handshake& handshake) {
    for (const auto& junk : {application_in_clear, sealed_junk, unknown_type, truncated, Datagram{},
                             Datagram(2000, 0xff)}) {
      handshake.receive(junk, pair.now);
    }
  };
  throw_at(*pair.initiator);
  CHECK(pair.initiator->progress() == dtls::Progress::waiting);
  REQUIRE(pair.run());
  throw_at(*pair.initiator);
  throw_at(*pair.acceptor);
  CHECK(pair.initiator->take_output().empty());
  CHECK(pair.acceptor->take_output().empty());
  CHECK(pair.acceptor->progress() == dtls::Progress::completed);
  CHECK(ERR_peek_error() == 0);
}

// A plain initiator's numbers begin at 0, so they prove nothing.
TEST_CASE("record numbers begin at a random base, and the acceptor continues them") {
  std::set<std::uint64_t> bases;
  for (int i = 0; i < 3; ++i) {
    Pair pair(make_identities());
    REQUIRE(pair.run());
    const auto number = [](const Datagram& datagram) {
      return record::decode(datagram.data()).sequence;
    };
    const auto base = number(pair.from_initiator.at(0));
    CHECK(bases.insert(base).second);
    CHECK(base >= std::uint64_t{1} << 40);
    CHECK(base < std::uint64_t{1} << 47);
    CHECK(base % 256 == 0);
    CHECK(number(pair.from_acceptor.at(0)) == base);  // HelloVerifyRequest
    CHECK(number(pair.from_initiator.at(1)) == base + 1);
    CHECK(number(pair.from_acceptor.at(1)) == base + 1);  // ServerHello
  }
}

TEST_CASE("only an alert with the peer's record number ends a handshake") {
  Pair pair(make_identities());
  const auto next_number = [](const Datagram& datagram) {
    return record::decode(datagram.data()).sequence + 1;
  };
  SECTION("of the initiator") {
    const auto hello = pair.initiator->take_output();
    const auto number = next_number(hello.at(0));
    CHECK(pair.initiator->receive(forged_alert(0), pair.now) == dtls::Progress::waiting);
    CHECK(pair.initiator->receive(forged_alert(number - 2), pair.now) == dtls::Progress::waiting);
    CHECK(pair.initiator->receive(forged_alert(number + 1023), pair.now) ==
          dtls::Progress::waiting);
    CHECK(pair.initiator->receive(forged_alert(number, 100, 1), pair.now) ==
          dtls::Progress::waiting);
    CHECK(pair.initiator->take_drops() == std::vector(4, Drop::plaintext_alert));
    CHECK_FALSE(pair.initiator->answered());
    CHECK(pair.initiator->receive(forged_alert(number), pair.now) == dtls::Progress::failed);
    CHECK(pair.initiator->failure().text ==
          "the peer refused our certificate, because its --ca lacks our CA (alert \"unknown CA\")");
    CHECK_FALSE(pair.initiator->deadline());
    CHECK(pair.initiator->receive(forged_alert(number), pair.now) == dtls::Progress::failed);
  }
  SECTION("of the acceptor") {
    pair.copies = [](const Sent& sent) { return sent.index < 3 ? 1 : 0; };
    while (pair.acceptor == nullptr) pair.step();
    const auto number = next_number(pair.from_initiator.back());
    CHECK(pair.acceptor->receive(forged_alert(number - 1), pair.now) == dtls::Progress::waiting);
    CHECK(pair.acceptor->receive(forged_alert(number), pair.now) == dtls::Progress::failed);
  }
  SECTION("of neither when they have completed") {
    REQUIRE(pair.run());
    const auto of_initiator = next_number(pair.from_initiator.back());
    CHECK(pair.initiator->receive(forged_alert(of_initiator), pair.now) ==
          dtls::Progress::completed);
    CHECK(pair.acceptor->receive(forged_alert(of_initiator), pair.now) ==
          dtls::Progress::completed);
  }
}

TEST_CASE("an alert without proof is named when the time is over") {
  Pair pair(make_identities());
  pair.copies = [](const Sent&) { return 0; };
  pair.initiator->receive(forged_alert(0), pair.now);
  pair.initiator->receive(forged_alert(0, 40), pair.now);
  REQUIRE_FALSE(pair.run());
  CHECK(pair.initiator->failure().reason == Drop::handshake_timed_out);
  CHECK(pair.initiator->failure().text ==
        "no answer within 10 s; alert \"unknown CA\" came, perhaps not from the peer");
}
