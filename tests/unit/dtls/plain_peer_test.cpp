// Interoperability with a peer that uses OpenSSL alone.
#include "plain_peer.hpp"

#include <algorithm>

#include <openssl/err.h>

#include "routevpn/record/open.hpp"
#include "routevpn/record/seal.hpp"
#include "routevpn/session/restart_hint.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Handshake;
using dtls::Progress;
using dtls::Role;

namespace {

const Time plain_start(std::chrono::hours(1));

Datagram seal(const dtls::Established& established, const std::string& text) {
  const std::size_t room = record::headroom(established.suite);
  record::Sealer sealer(record::CryptoBackend::openssl, established.suite, established.send,
                        established.first_send_sequence, established.explicit_nonce_base, 10);
  Datagram datagram(room + text.size() + record::tailroom);
  std::copy(text.begin(), text.end(), datagram.begin() + static_cast<std::ptrdiff_t>(room));
  const OutboundPacket packet{datagram.data() + room, static_cast<std::uint32_t>(text.size())};
  REQUIRE(sealer.seal({&packet, 1}) == 1);
  return datagram;
}

std::string open(const dtls::Established& established, Datagram datagram) {
  record::Opener opener(record::CryptoBackend::openssl, established.suite, established.receive);
  const auto split = record::split_first(datagram);
  REQUIRE_FALSE(split.fault);
  const auto opened = opener.open(split.header, split.record);
  REQUIRE_FALSE(opened.fault);
  return {opened.payload.begin(), opened.payload.end()};
}

void check_data_passes(Handshake& ours, PlainPeer& plain) {
  const auto& established = ours.established();
  plain.write("from OpenSSL to us");
  const auto sent = plain.take_output();
  REQUIRE(sent.size() == 1);
  CHECK(open(established, sent[0]) == "from OpenSSL to us");
  CHECK(plain.read(seal(established, "from us to OpenSSL")) == "from us to OpenSSL");
}

}  // namespace

TEST_CASE("a plain initiator: no ALPN, no control messages, data both ways") {
  const auto* cipher = GENERATE("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                                "ECDHE-ECDSA-CHACHA20-POLY1305");
  TestCa ca;
  dtls::Listener listener(
      make_identity(ca.issue({.name = "V3-2"}), ca.certificate(), "V3-1", cipher));
  PlainPeer plain(Role::initiator, ca.issue({.name = "V3-1"}), ca.certificate());
  const auto ours = accept(listener, plain, plain_start);
  REQUIRE(ours != nullptr);
  exchange(*ours, plain, plain_start);
  REQUIRE(ours->progress() == Progress::completed);
  REQUIRE(plain.completed());
  CHECK_FALSE(ours->established().control_messages);
  CHECK(ours->established().cipher_name == cipher);
  check_data_passes(*ours, plain);
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a plain acceptor: no ALPN, no control messages, data both ways") {
  TestCa ca;
  const auto ours = Handshake::initiate(
      make_identity(ca.issue({.name = "V3-1"}), ca.certificate(), "V3-2"), plain_start);
  PlainPeer plain(Role::acceptor, ca.issue({.name = "V3-2"}), ca.certificate());
  exchange(*ours, plain, plain_start);
  REQUIRE(ours->progress() == Progress::completed);
  REQUIRE(plain.completed());
  CHECK_FALSE(ours->established().control_messages);
  check_data_passes(*ours, plain);
}

TEST_CASE("a plain acceptor that counts its records from 0 is accepted after a second") {
  TestCa ca;
  Time now = plain_start;
  const auto ours =
      Handshake::initiate(make_identity(ca.issue({.name = "V3-1"}), ca.certificate(), "V3-2"), now);
  PlainPeer plain(Role::acceptor, ca.issue({.name = "V3-2"}), ca.certificate());
  plain.continues_numbers = false;
  exchange(*ours, plain, now);
  CHECK(ours->progress() == Progress::waiting);
  CHECK_FALSE(ours->answered());
  while (ours->progress() == Progress::waiting && !ours->answered()) {
    now = *ours->deadline();
    ours->on_timer(now);
  }
  CHECK(now == plain_start + std::chrono::seconds(1));
  exchange(*ours, plain, now);
  REQUIRE(ours->progress() == Progress::completed);
  CHECK(ours->take_drops().empty());
  check_data_passes(*ours, plain);
}

TEST_CASE("without the extended master secret nothing is established") {
  TestCa ca;
  SECTION("an initiator without it") {
    dtls::Listener listener(make_identity(ca.issue({.name = "V3-2"}), ca.certificate(), "V3-1"));
    PlainPeer plain(Role::initiator, ca.issue({.name = "V3-1"}), ca.certificate(),
                    SSL_OP_NO_EXTENDED_MASTER_SECRET);
    const auto ours = accept(listener, plain, plain_start);
    REQUIRE(ours != nullptr);
    CHECK(ours->progress() == Progress::failed);
    CHECK_THAT(ours->failure().text, ContainsSubstring("extended master secret"));
    exchange(*ours, plain, plain_start);  // the alert
    CHECK_FALSE(plain.completed());
  }
  SECTION("an acceptor without it") {
    const auto ours = Handshake::initiate(
        make_identity(ca.issue({.name = "V3-1"}), ca.certificate(), "V3-2"), plain_start);
    PlainPeer plain(Role::acceptor, ca.issue({.name = "V3-2"}), ca.certificate(),
                    SSL_OP_NO_EXTENDED_MASTER_SECRET);
    exchange(*ours, plain, plain_start);
    REQUIRE(ours->progress() == Progress::failed);
    CHECK(ours->failure().reason == Drop::handshake_failed);
    CHECK_THAT(ours->failure().text, ContainsSubstring("extended master secret"));
  }
}

TEST_CASE("an initiator without a certificate is refused and gets an alert") {
  TestCa ca;
  dtls::Listener listener(make_identity(ca.issue({.name = "V3-2"}), ca.certificate(), "V3-1"));
  PlainPeer plain(Role::initiator, ca.issue({.name = "V3-1"}), ca.certificate(), 0, false);
  const auto ours = accept(listener, plain, plain_start);
  REQUIRE(ours != nullptr);
  exchange(*ours, plain, plain_start);
  REQUIRE(ours->progress() == Progress::failed);
  CHECK(ours->failure().reason == Drop::certificate_refused);
  CHECK_THAT(ours->failure().text, ContainsSubstring("no certificate"));
  CHECK_FALSE(plain.completed());
}

TEST_CASE("a renegotiation by an authenticated peer is ignored") {
  TestCa ca;
  dtls::Listener listener(make_identity(ca.issue({.name = "V3-2"}), ca.certificate(), "V3-1"));
  PlainPeer plain(Role::initiator, ca.issue({.name = "V3-1"}), ca.certificate());
  const auto ours = accept(listener, plain, plain_start);
  exchange(*ours, plain, plain_start);
  REQUIRE(ours->progress() == Progress::completed);
  plain.renegotiate();
  const auto sent = plain.take_output();
  REQUIRE(epoch_one_records(sent).size() == 1);
  for (const auto& datagram : sent)
    CHECK(ours->receive(datagram, plain_start) == Progress::completed);
  CHECK(ours->take_output().empty());
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a plain peer ignores the alert that hints at a restart") {
  TestCa ca;
  const auto ours = Handshake::initiate(
      make_identity(ca.issue({.name = "V3-1"}), ca.certificate(), "V3-2"), plain_start);
  PlainPeer plain(Role::acceptor, ca.issue({.name = "V3-2"}), ca.certificate());
  exchange(*ours, plain, plain_start);
  REQUIRE(plain.completed());
  const Datagram hint(session::restart_hint.begin(), session::restart_hint.end());
  CHECK(plain.read(hint).empty());
  CHECK(plain.take_output().empty());
  check_data_passes(*ours, plain);
}
