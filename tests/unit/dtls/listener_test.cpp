#include "routevpn/dtls/listener.hpp"

#include <algorithm>

#include <openssl/err.h>

#include "routevpn/record/wire.hpp"

#include "catch.hpp"
#include "forged.hpp"
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

struct Acceptor {
  Identities identities = make_identities();
  Listener listener{identities.acceptor};
  Time now{1h};
  std::unique_ptr<Handshake> initiator;

  Acceptor() {
    virtual_clock::set(now);
    initiator = Handshake::initiate(identities.initiator, now);
  }

  Datagram next_hello() {
    const auto output = initiator->take_output();
    REQUIRE(output.size() == 1);
    return output[0];
  }

  // The ClientHello that returns the cookie.
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

TEST_CASE("the first ClientHello gets a cookie, the second starts a handshake") {
  Acceptor acceptor;
  const Datagram first = acceptor.next_hello();
  const auto answer = acceptor.listener.receive(first, initiator_address, acceptor.now);
  CHECK(answer.handshake == nullptr);
  CHECK_FALSE(answer.malformed);
  REQUIRE(answer.output.size() == 1);
  CHECK(answer.output[0].size() <= first.size());  // no amplification

  acceptor.initiator->receive(answer.output[0], acceptor.now);
  const Datagram second = acceptor.next_hello();
  auto accepted = acceptor.listener.receive(second, initiator_address, acceptor.now);
  REQUIRE(accepted.handshake != nullptr);
  CHECK(accepted.output.empty());
  CHECK(accepted.handshake->progress() == Progress::waiting);
  CHECK_FALSE(accepted.handshake->take_output().empty());
  const auto random = dtls::client_hello_random(second);
  REQUIRE(random);
  CHECK(std::ranges::equal(*random, accepted.handshake->client_random()));
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a ClientHello with a valid cookie may be refused, and retried") {
  Acceptor acceptor;
  const Datagram hello = acceptor.hello_with_cookie();
  int asked = 0;
  const auto refuse = [&asked]() -> std::optional<Drop> {
    ++asked;
    return Drop::handshake_rate_limited;
  };
  const auto answer = acceptor.listener.receive(hello, initiator_address, acceptor.now, refuse);
  CHECK(asked == 1);
  CHECK(answer.handshake == nullptr);
  CHECK(answer.output.empty());
  CHECK_FALSE(answer.malformed);
  CHECK(answer.refused == Drop::handshake_rate_limited);
  CHECK(acceptor.listener.receive(hello, initiator_address, acceptor.now).handshake != nullptr);
}

TEST_CASE("a cookie is valid for one address and port") {
  Acceptor acceptor;
  const Datagram hello = acceptor.hello_with_cookie();
  const auto other = GENERATE(SocketAddress{*IpAddress::parse("192.0.2.2"), 7754, 0},
                              SocketAddress{*IpAddress::parse("192.0.2.1"), 7755, 0},
                              SocketAddress{*IpAddress::parse("c000:201::"), 7754, 0});
  const auto answer = acceptor.listener.receive(hello, other, acceptor.now);
  CHECK(answer.handshake == nullptr);
  CHECK(answer.output.size() == 1);  // a cookie of its own
}

TEST_CASE("a cookie is valid for one ClientHello") {
  Acceptor acceptor;
  const Datagram hello = acceptor.hello_with_cookie();
  std::size_t answered = 0;
  for (std::size_t at = record::header_bytes + 12; at < hello.size(); ++at) {
    CAPTURE(at);
    Datagram changed = hello;
    changed[at] ^= 1;
    const auto answer = acceptor.listener.receive(changed, initiator_address, acceptor.now);
    CHECK(answer.handshake == nullptr);
    CHECK(answer.malformed == answer.output.empty());
    answered += answer.output.size();  // a cookie of its own
  }
  // All but the version's first byte and the lengths of session ID and cookie.
  CHECK(answered >= hello.size() - (record::header_bytes + 12) - 3);
  CHECK(acceptor.listener.receive(hello, initiator_address, acceptor.now).handshake != nullptr);
}

// OpenSSL would wait for the second message in vain.
TEST_CASE("a cookie in the first message is not valid") {
  Acceptor acceptor;
  Datagram hello = acceptor.hello_with_cookie();
  hello[record::header_bytes + 5] = 0;
  const auto answer = acceptor.listener.receive(hello, initiator_address, acceptor.now);
  CHECK(answer.handshake == nullptr);
  CHECK(answer.output.size() == 1);
}

TEST_CASE("a HelloVerifyRequest has the ClientHello's number and the lowest version") {
  Acceptor acceptor;
  const Datagram hello = acceptor.next_hello();
  const auto answer = acceptor.listener.receive(hello, initiator_address, acceptor.now);
  const auto& request = answer.output.at(0);
  CHECK(request.size() == 60);
  const auto header = record::decode(request.data());
  CHECK(header.sequence == record::decode(hello.data()).sequence);
  CHECK(header.version == record::dtls_1_0);
  CHECK(load_be16(request.data() + record::header_bytes + 12) == record::dtls_1_0);
  CHECK(acceptor.listener.receive(hello, initiator_address, acceptor.now).output == answer.output);
}

TEST_CASE("the shortest ClientHello is longer than its answer") {
  Acceptor acceptor;
  const Datagram hello = acceptor.next_hello();
  Fragment body(hello.begin() + record::header_bytes + 12, hello.end());
  body.resize(2 + 32);
  body.insert(body.end(), {0, 0});
  const Datagram shortest = forged_message(1, 0, 7, body);
  const auto answer = acceptor.listener.receive(shortest, initiator_address, acceptor.now);
  REQUIRE(answer.output.size() == 1);
  CHECK(answer.output[0].size() < shortest.size());
  body.pop_back();
  CHECK(acceptor.listener.receive(forged_message(1, 0, 7, body), initiator_address, acceptor.now)
            .malformed);
}

TEST_CASE("a fragment of a ClientHello is malformed") {
  Acceptor acceptor;
  const Datagram hello = acceptor.hello_with_cookie();
  const auto number = record::decode(hello.data()).sequence;
  const Fragment body(hello.begin() + record::header_bytes + 12, hello.end());
  constexpr std::uint8_t cut = 90;  // behind the cookie
  const auto fragment = forged_message(1, 1, number, Fragment(body.begin(), body.begin() + cut),
                                       static_cast<std::uint16_t>(body.size()));
  CHECK(acceptor.listener.receive(fragment, initiator_address, acceptor.now).malformed);
}

TEST_CASE("a cookie survives one change of the secret, not two") {
  Acceptor acceptor;
  const Datagram hello = acceptor.hello_with_cookie();
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
  const Datagram other_hello = [&] {
    const auto other = Handshake::initiate(acceptor.identities.initiator, acceptor.now);
    return other->take_output().at(0);
  }();
  for (const auto wait : test.waits) {
    acceptor.now += wait;
    acceptor.listener.receive(other_hello, initiator_address, acceptor.now);
  }
  const auto answer = acceptor.listener.receive(hello, initiator_address, acceptor.now);
  CHECK((answer.handshake != nullptr) == test.accepted);
}

TEST_CASE("a cookie of another listener is refused") {
  Acceptor acceptor;
  const Datagram hello = acceptor.hello_with_cookie();
  Listener other(acceptor.identities.acceptor);
  const auto answer = other.receive(hello, initiator_address, acceptor.now);
  CHECK(answer.handshake == nullptr);
  CHECK(answer.output.size() == 1);
}

TEST_CASE("a datagram without a ClientHello is malformed, and the listener keeps working") {
  Acceptor acceptor;
  const Datagram hello = acceptor.next_hello();
  const auto is_malformed = [&](const Datagram& datagram) {
    const auto answer = acceptor.listener.receive(datagram, initiator_address, acceptor.now);
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
  for (std::size_t at = 0; at < hello.size(); ++at) {  // malformed or not, no handshake starts
    Datagram changed = hello;
    changed[at] ^= 0x55;
    is_malformed(changed);
  }
  CHECK_FALSE(is_malformed(hello));
}

TEST_CASE("the random of a ClientHello") {
  Acceptor acceptor;
  const Datagram hello = acceptor.next_hello();
  const auto random = dtls::client_hello_random(hello);
  REQUIRE(random);
  CHECK(random->size() == 32);
  CHECK(random->data() == hello.data() + record::header_bytes + 12 + 2);
  const auto without = [&](std::size_t at, std::uint8_t value) {
    Datagram changed = hello;
    changed.at(at) = value;
    return !dtls::client_hello_random(changed);
  };
  CHECK(without(0, 23));                        // content type
  CHECK(without(1, 3));                         // version
  CHECK(without(4, 1));                         // epoch
  CHECK(without(record::header_bytes, 2));      // message type
  CHECK(without(record::header_bytes + 8, 1));  // fragment offset
  CHECK_FALSE(dtls::client_hello_random(ConstBytes(hello).first(record::header_bytes + 45)));
}

TEST_CASE("a new identity is used from the next ClientHello on, and cookies stay valid") {
  Acceptor acceptor;
  const Datagram hello = acceptor.hello_with_cookie();
  TestCa other;
  acceptor.listener.replace_identity(
      make_identity(other.issue({.name = "V3-2"}), other.certificate(), "V3-1"));
  auto answer = acceptor.listener.receive(hello, initiator_address, acceptor.now);
  REQUIRE(answer.handshake != nullptr);
  for (const auto& datagram : answer.handshake->take_output()) {
    acceptor.initiator->receive(datagram, acceptor.now);
  }
  REQUIRE(acceptor.initiator->progress() == Progress::failed);
  CHECK(acceptor.initiator->failure().text == "certificate of V3-2 refused: not signed by our CA");
}
