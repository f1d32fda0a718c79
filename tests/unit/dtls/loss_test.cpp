// Lost, duplicated and reordered datagrams, on a virtual clock.
#include <random>
#include <set>

#include <openssl/err.h>

#include "routevpn/record/wire.hpp"

#include "catch.hpp"
#include "pair.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::test;
using dtls::Handshake;
using dtls::Progress;
using dtls::TimerOutcome;
using namespace std::chrono_literals;

namespace {

// OpenSSL's explicit nonces grow with its sequence numbers, so base + sequence number is unique.
void check_nonces(const std::vector<Datagram>& sent, const dtls::Established& established) {
  std::set<std::uint64_t> numbers;
  for (const auto& sealed : epoch_one_records(sent)) {
    CHECK(numbers.insert(sealed.sequence).second);
    CHECK(load_be64(sealed.bytes.data() + record::header_bytes) - sealed.sequence ==
          established.explicit_nonce_base);
    CHECK(sealed.sequence < established.first_send_sequence);
  }
  CHECK_FALSE(numbers.empty());
}

}  // namespace

TEST_CASE("OpenSSL's timers read the virtual clock") {
  const auto before = virtual_clock::times_read();
  Pair pair(make_identities());
  CHECK(virtual_clock::times_read() > before);
}

TEST_CASE("the loss of any one datagram is repaired") {
  const auto identities = make_identities();
  Pair undisturbed(identities);
  REQUIRE(undisturbed.run());
  const std::size_t in_all = undisturbed.from_initiator.size() + undisturbed.from_acceptor.size();
  REQUIRE(in_all >= 6);
  for (std::size_t lost = 0; lost < in_all; ++lost) {
    CAPTURE(lost);
    Pair pair(identities);
    const Time begin = pair.now;
    pair.copies = [lost](const Sent& sent) { return sent.index == lost ? 0 : 1; };
    REQUIRE(pair.run());
    CHECK(pair.retransmissions >= 1);
    CHECK(pair.now - begin == Handshake::first_retransmission);
    check_nonces(pair.from_initiator, pair.initiator->established());
    check_nonces(pair.from_acceptor, pair.acceptor->established());
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("a handshake completes with a third of the datagrams lost, in order or reversed") {
  const auto identities = make_identities();
  const unsigned seed = GENERATE(range(0U, 16U));
  CAPTURE(seed);
  Pair pair(identities);
  pair.newest_first = seed % 2 == 1;
  std::mt19937 random(seed);
  pair.copies = [&random](const Sent&) { return random() % 3 == 0 ? 0 : 1; };
  REQUIRE(pair.run());
  check_nonces(pair.from_initiator, pair.initiator->established());
  check_nonces(pair.from_acceptor, pair.acceptor->established());
}

TEST_CASE("duplicated datagrams do no harm") {
  Pair pair(make_identities());
  pair.copies = [](const Sent&) { return 2; };
  REQUIRE(pair.run());
  check_nonces(pair.from_acceptor, pair.acceptor->established());
  CHECK(ERR_peek_error() == 0);
}

TEST_CASE("a lost last flight is retransmitted with numbers below ours") {
  Pair pair(make_identities());
  const int losses = GENERATE(1, 2, 5);
  CAPTURE(losses);
  int lost = 0;
  pair.copies = [&](const Sent& sent) {
    const bool finished = !sent.by_initiator && !epoch_one_records({sent.datagram}).empty();
    return finished && lost++ < losses ? 0 : 1;
  };
  REQUIRE(pair.run());
  CHECK(lost == losses + 1);
  const auto sealed = epoch_one_records(pair.from_acceptor);
  CHECK(sealed.size() == static_cast<std::size_t>(losses) + 1);
  for (const auto& one : sealed) CHECK(one.bytes[0] == 22);  // handshake, never an alert
  check_nonces(pair.from_initiator, pair.initiator->established());
  check_nonces(pair.from_acceptor, pair.acceptor->established());
}

TEST_CASE("a replayed Finished is not answered") {
  Pair pair(make_identities());
  REQUIRE(pair.run());
  for (const auto& datagram : pair.from_initiator) pair.acceptor->receive(datagram, pair.now);
  CHECK(pair.acceptor->take_output().empty());
}

TEST_CASE("flights are retransmitted after 100 ms, doubling, for 10 s") {
  const auto identities = make_identities();
  Time now(1h);
  const Time begin = now;
  virtual_clock::set(now);
  const auto handshake = Handshake::initiate(identities.initiator, now);
  CHECK(handshake->take_output().size() == 1);

  Duration expected{};
  for (const auto interval : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms}) {
    expected += interval;
    REQUIRE(handshake->deadline());
    CHECK(*handshake->deadline() - begin == expected);
    CHECK(handshake->on_timer(*handshake->deadline() - 1ns) == TimerOutcome::nothing_due);
    now = *handshake->deadline();
    virtual_clock::set(now);
    CHECK(handshake->on_timer(now) == TimerOutcome::retransmitted);
    CHECK(handshake->take_output().size() == 1);
  }
  CHECK(*handshake->deadline() - begin == Handshake::time_limit);
  now = *handshake->deadline();
  virtual_clock::set(now);
  CHECK(handshake->on_timer(now) == TimerOutcome::failed);
  CHECK(handshake->progress() == Progress::failed);
  CHECK(handshake->failure().reason == Drop::handshake_timed_out);
  CHECK(handshake->failure().text == "no answer within 10 s");
  CHECK_FALSE(handshake->deadline());
  CHECK(handshake->on_timer(now) == TimerOutcome::nothing_due);
}

TEST_CASE("a wall clock that is stepped back delays a retransmission, no more") {
  const auto identities = make_identities();
  Time now(1h);
  virtual_clock::set(now);
  const auto handshake = Handshake::initiate(identities.initiator, now);
  handshake->take_output();
  virtual_clock::set(now - 50ms);
  now += 100ms;
  CHECK(handshake->on_timer(now) == TimerOutcome::nothing_due);
  CHECK(*handshake->deadline() == now + 10ms);
  CHECK(handshake->take_output().empty());
  now += 100ms;
  virtual_clock::set(now);
  CHECK(handshake->on_timer(now) == TimerOutcome::retransmitted);
  CHECK(handshake->take_output().size() == 1);
}

TEST_CASE("part of a flight causes no early retransmission") {
  Pair pair(make_identities());
  const std::size_t passed = 4;  // two ClientHellos, HelloVerifyRequest, part of the next flight
  pair.copies = [](const Sent& sent) { return sent.index < passed ? 1 : 0; };
  while (pair.initiator->progress() == Progress::waiting) {
    if (pair.run()) break;
  }
  CHECK(pair.initiator->progress() == Progress::failed);
  CHECK(pair.initiator->failure().reason == Drop::handshake_timed_out);
  CHECK(pair.acceptor->failure().text == "handshake not completed within 10 s");
  // Each end: after 0.1, 0.3, 0.7, 1.5, 3.1 and 6.3 s.
  CHECK(pair.retransmissions == 2 * 6);
  CHECK(ERR_peek_error() == 0);
}
