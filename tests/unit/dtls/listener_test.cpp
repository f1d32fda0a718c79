#include "routevpn/dtls/listener.hpp"

#include <algorithm>

#include <openssl/err.h>

#include "routevpn/record/wire.hpp"

#include "catch.hpp"
#include "pair.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Handshake;
using dtls::Listener;
using dtls::Progress;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t hello_verify_request = 3;

struct Door {
  Identities identities = make_identities();
  Listener listener{identities.acceptor};
  Time now{1h};
  std::unique_ptr<Handshake> initiator;

  Door() {
    virtual_clock::set(now);
    initiator = Handshake::initiate(identities.initiator, now);
  }

  Datagram next_hello() {
    const auto output = initiator->take_output();
    REQUIRE(output.size() == 1);
    return output[0];
  }

  // The ClientHello that brings the cookie back.
  Datagram hello_with_cookie() {
    auto answer = listener.receive(next_hello(), initiator_address, now);
    REQUIRE(answer.handshake == nullptr);
    REQUIRE(answer.output.size() == 1);
    CHECK(answer.output[0].at(record::header_bytes) == hello_verify_request);
    initiator->receive(answer.output[0], now);
    return next_hello();
  }
};

}  // namespace

TEST_CASE("the first ClientHello gets a cookie and makes nothing, the second a handshake") {
  Door door;
  const Datagram first = door.next_hello();
  const auto answer = door.listener.receive(first, initiator_address, door.now);
  CHECK(answer.handshake == nullptr);
  CHECK_FALSE(answer.malformed);
  REQUIRE(answer.output.size() == 1);
  CHECK(answer.output[0].size() <= first.size());  // no amplification

  door.initiator->receive(answer.output[0], door.now);
  const Datagram second = door.next_hello();
  auto accepted = door.listener.receive(second, initiator_address, door.now);
  REQUIRE(accepted.handshake != nullptr);
  CHECK(accepted.output.empty());
  CHECK(accepted.handshake->progress() == Progress::waiting);
  CHECK_FALSE(accepted.handshake->take_output().empty());
  const auto random = dtls::client_hello_random(second);
  REQUIRE(random);
  CHECK(std::ranges::equal(*random, accepted.handshake->client_random()));
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("whoever brings a good cookie may still be refused, and may come again") {
  Door door;
  const Datagram hello = door.hello_with_cookie();
  int asked = 0;
  const auto refuse = [&asked]() -> std::optional<Drop> {
    ++asked;
    return Drop::handshake_rate_limited;
  };
  const auto answer = door.listener.receive(hello, initiator_address, door.now, refuse);
  CHECK(asked == 1);
  CHECK(answer.handshake == nullptr);
  CHECK(answer.output.empty());
  CHECK_FALSE(answer.malformed);
  CHECK(answer.refused == Drop::handshake_rate_limited);
  CHECK(door.listener.receive(hello, initiator_address, door.now).handshake != nullptr);
}

TEST_CASE("a cookie is for one address and port") {
  Door door;
  const Datagram hello = door.hello_with_cookie();
  const auto other = GENERATE(SocketAddress{*IpAddress::parse("192.0.2.2"), 7754, 0},
                              SocketAddress{*IpAddress::parse("192.0.2.1"), 7755, 0},
                              SocketAddress{*IpAddress::parse("c000:201::"), 7754, 0});
  const auto answer = door.listener.receive(hello, other, door.now);
  CHECK(answer.handshake == nullptr);
  CHECK(answer.output.size() == 1);  // a cookie of its own
}

TEST_CASE("a cookie outlives one change of the secret, not two") {
  Door door;
  const Datagram hello = door.hello_with_cookie();
  struct Case {
    std::vector<Duration> waits;
    bool accepted;
  };
  const auto test = GENERATE(values<Case>({{{59s}, true},
                                           {{61s}, true},
                                           {{61s, 58s}, true},
                                           {{61s, 61s}, false},
                                           {{121s}, false},
                                           {{10h}, false}}));
  const Datagram stranger = [&] {
    const auto other = Handshake::initiate(door.identities.initiator, door.now);
    return other->take_output().at(0);
  }();
  for (const auto wait : test.waits) {
    door.now += wait;
    door.listener.receive(stranger, initiator_address, door.now);
  }
  const auto answer = door.listener.receive(hello, initiator_address, door.now);
  CHECK((answer.handshake != nullptr) == test.accepted);
}

TEST_CASE("a cookie of another listener is refused") {
  Door door;
  const Datagram hello = door.hello_with_cookie();
  Listener other(door.identities.acceptor);
  const auto answer = other.receive(hello, initiator_address, door.now);
  CHECK(answer.handshake == nullptr);
  CHECK(answer.output.size() == 1);
}

TEST_CASE("what is no ClientHello is malformed, and the listener goes on") {
  Door door;
  const Datagram hello = door.next_hello();
  const auto is_malformed = [&](const Datagram& datagram) {
    const auto answer = door.listener.receive(datagram, initiator_address, door.now);
    CHECK(ERR_peek_error() == 0);
    CHECK(answer.handshake == nullptr);
    CHECK(answer.malformed == answer.output.empty());
    return answer.malformed;
  };
  CHECK(is_malformed({}));
  CHECK(is_malformed(Datagram(60, 0)));
  CHECK(is_malformed(Datagram(1400, 0xff)));
  for (std::size_t size = 0; size < hello.size(); ++size) {
    CAPTURE(size);
    CHECK(is_malformed(Datagram(hello.begin(), hello.begin() + static_cast<long>(size))));
  }
  for (std::size_t at = 0; at < hello.size(); ++at) {  // whatever it is, it makes no handshake
    Datagram bent = hello;
    bent[at] ^= 0x55;
    is_malformed(bent);
  }
  CHECK_FALSE(is_malformed(hello));
}

TEST_CASE("the random of a ClientHello") {
  Door door;
  const Datagram hello = door.next_hello();
  const auto random = dtls::client_hello_random(hello);
  REQUIRE(random);
  CHECK(random->size() == 32);
  CHECK(random->data() == hello.data() + record::header_bytes + 12 + 2);
  const auto without = [&](std::size_t at, std::uint8_t value) {
    Datagram bent = hello;
    bent.at(at) = value;
    return !dtls::client_hello_random(bent);
  };
  CHECK(without(0, 23));                        // content type
  CHECK(without(1, 3));                         // version
  CHECK(without(4, 1));                         // epoch
  CHECK(without(record::header_bytes, 2));      // message type
  CHECK(without(record::header_bytes + 8, 1));  // fragment offset
  CHECK_FALSE(dtls::client_hello_random(ConstBytes(hello).first(record::header_bytes + 45)));
}

TEST_CASE("a new identity is used from the next ClientHello on, and cookies stay good") {
  Door door;
  const Datagram hello = door.hello_with_cookie();
  TestCa other;
  door.listener.replace_identity(
      make_identity(other.issue({.name = "V3-2"}), other.certificate(), "V3-1"));
  auto answer = door.listener.receive(hello, initiator_address, door.now);
  REQUIRE(answer.handshake != nullptr);
  for (const auto& datagram : answer.handshake->take_output()) {
    door.initiator->receive(datagram, door.now);
  }
  REQUIRE(door.initiator->progress() == Progress::failed);
  CHECK(door.initiator->failure().text == "certificate of V3-2 refused: not signed by our CA");
}
