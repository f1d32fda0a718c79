// An attacker off the path sends records of epoch 0 in the peer's name: it knows the addresses and
// the ports, and nothing that the two ends send.
#include "routevpn/record/wire.hpp"

#include "catch.hpp"
#include "forged.hpp"
#include "pair.hpp"
#include "plain_peer.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Handshake;
using dtls::Progress;
using dtls::Role;
using record::ContentType;

namespace {

Fragment server_hello() {
  Fragment body(2 + 32 + 1 + 2 + 1, 0x5a);
  store_be16(body.data(), record::dtls_1_2);
  body[34] = 0;                   // no session
  store_be16(&body[35], 0xc02b);  // ECDHE-ECDSA-AES128-GCM-SHA256
  body[37] = 0;                   // no compression
  return body;
}

Fragment forged_verify_request() {
  Fragment body(2 + 1 + 32, 0x5a);
  store_be16(body.data(), record::dtls_1_0);
  body[2] = 32;
  return body;
}

struct Attack {
  const char* name;
  std::function<std::vector<Datagram>(std::uint64_t number, std::uint8_t sequence)> datagrams;
};

std::vector<Datagram> forged_alerts(std::uint64_t number, std::uint8_t) {
  return {forged_record(ContentType::alert, number, {2, 40}),
          forged_record(ContentType::alert, number, {1, 0})};
}
std::vector<Datagram> forged_change_cipher_specs(std::uint64_t number, std::uint8_t) {
  return {forged_record(ContentType::change_cipher_spec, number, {1}),
          forged_record(ContentType::change_cipher_spec, number, {1, 1})};
}
std::vector<Datagram> forged_hello_requests(std::uint64_t number, std::uint8_t sequence) {
  return {forged_message(0, sequence, number, {})};
}
std::vector<Datagram> forged_hello_verify_requests(std::uint64_t number, std::uint8_t sequence) {
  return {forged_message(3, sequence, number, forged_verify_request())};
}
std::vector<Datagram> forged_server_hellos(std::uint64_t number, std::uint8_t sequence) {
  return {forged_message(2, sequence, number, server_hello()),
          forged_message(2, sequence, number, {}, 60),
          forged_message(2, sequence, number, server_hello(), 0xffff)};
}
std::vector<Datagram> forged_others(std::uint64_t number, std::uint8_t sequence) {
  return {forged_message(11, sequence, number, {0, 0, 0}), forged_message(14, sequence, number, {}),
          forged_message(16, sequence, number, {1, 2}),
          forged_message(20, sequence, number, Fragment(12)),
          forged_message(99, sequence, number, {1})};
}
// In epoch 1. OpenSSL 3.0 ends the handshake if a record is shorter than nonce and tag.
std::vector<Datagram> forged_sealed(std::uint64_t number, std::uint8_t sequence) {
  return {forged_record(ContentType::handshake, number, Fragment(1U + sequence), 1),
          forged_record(ContentType::handshake, number, Fragment(48), 1),
          forged_record(ContentType::alert, number, Fragment(26), 1)};
}

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> all = {
      {"alerts", forged_alerts},
      {"ChangeCipherSpecs", forged_change_cipher_specs},
      {"HelloRequests", forged_hello_requests},
      {"HelloVerifyRequests", forged_hello_verify_requests},
      {"ServerHellos", forged_server_hellos},
      {"other messages", forged_others},
      {"sealed records", forged_sealed},
  };
  return all;
}

// All that an attacker would try: the numbers that most implementations use, and the highest.
std::vector<Datagram> volley(const Attack& attack) {
  std::vector<Datagram> all;
  for (const std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2},
                                     std::uint64_t{4}, std::uint64_t{9}, record::max_sequence}) {
    for (std::uint8_t sequence = 0; sequence < 6; ++sequence) {
      for (auto& datagram : attack.datagrams(number, sequence)) all.push_back(std::move(datagram));
    }
  }
  return all;
}

// As exchange(), with an attacker's datagrams before each of the peer's.
void exchange_attacked(Handshake& ours, PlainPeer& plain, const Attack& attack) {
  const Time now(std::chrono::hours(1));
  for (bool active = true; active;) {
    const auto to_plain = ours.take_output();
    for (const auto& datagram : to_plain) plain.receive(datagram);
    const auto to_us = plain.take_output();
    for (const auto& datagram : to_us) {
      for (const auto& forged : volley(attack)) ours.receive(forged, now);
      ours.receive(datagram, now);
    }
    active = !to_us.empty() || !to_plain.empty();
  }
}

}  // namespace

TEST_CASE("records in the peer's name stop no handshake of either role") {
  const auto& attack = attacks()[GENERATE(range(std::size_t{0}, std::size_t{7}))];
  const bool at_acceptor = GENERATE(false, true);
  CAPTURE(attack.name, at_acceptor);
  Pair pair(make_identities());
  pair.spoofed = [&](bool to_acceptor) {
    return to_acceptor == at_acceptor ? volley(attack) : std::vector<Datagram>();
  };
  const bool completed = pair.run();
  CAPTURE(pair.initiator->failure().text);
  CHECK(completed);
  CHECK(pair.retransmissions == 0);
}

TEST_CASE("records in the peer's name stop no handshake that loses a datagram") {
  const auto& attack = attacks()[GENERATE(range(std::size_t{0}, std::size_t{7}))];
  const auto lost = GENERATE(range(std::size_t{0}, std::size_t{8}));
  CAPTURE(attack.name, lost);
  Pair pair(make_identities());
  pair.spoofed = [&](bool) { return volley(attack); };
  pair.copies = [lost](const Sent& sent) { return sent.index == lost ? 0 : 1; };
  CHECK(pair.run());
}

TEST_CASE("records in the name of a plain peer that follows RFC 6347 stop no handshake") {
  const auto& attack = attacks()[GENERATE(range(std::size_t{0}, std::size_t{7}))];
  CAPTURE(attack.name);
  TestCa ca;
  const auto identity = make_identity(ca.issue({.name = "V3-1"}), ca.certificate(), "V3-2");
  const auto issued = ca.issue({.name = "V3-2"});
  const Time now(std::chrono::hours(1));
  SECTION("a plain acceptor") {
    const auto ours = Handshake::initiate(identity, now);
    PlainPeer plain(Role::acceptor, issued, ca.certificate());
    exchange_attacked(*ours, plain, attack);
    CHECK(ours->failure().text.empty());
    CHECK(ours->progress() == Progress::completed);
    CHECK(plain.completed());
  }
  // Its record numbers begin at 0, so the attacker hits them. The other messages that an initiator
  // sends would disturb its handshake: only a random base protects from those.
  SECTION("a plain initiator") {
    if (attack.name == std::string_view("other messages")) return;
    dtls::Listener listener(identity);
    PlainPeer plain(Role::initiator, issued, ca.certificate());
    const auto ours = accept(listener, plain, now);
    REQUIRE(ours != nullptr);
    exchange_attacked(*ours, plain, attack);
    CHECK(ours->failure().text.empty());
    CHECK(ours->progress() == Progress::completed);
    CHECK(plain.completed());
  }
}

// While the acceptor is down, an initiator cannot tell forged answers from those of an acceptor
// that does not follow the RFC.
TEST_CASE("an attempt that forged records misled fails when the peer answers") {
  const auto identities = make_identities();
  Time now(std::chrono::hours(1));
  virtual_clock::set(now);
  const auto ours = Handshake::initiate(identities.initiator, now);
  const auto number = record::decode(ours->take_output().at(0).data()).sequence;
  ours->receive(forged_message(3, 0, 0, forged_verify_request()), now);
  CHECK_FALSE(ours->answered());
  now += std::chrono::seconds(1);
  virtual_clock::set(now);
  ours->on_timer(now);
  CHECK(ours->answered());
  CHECK(ours->receive(forged_message(3, 0, number, forged_verify_request()), now) ==
        Progress::failed);
  CHECK(ours->failure().reason == Drop::handshake_failed);
  CHECK(ours->failure().text == "forged records in the peer's name came before its own");
}
