#include "catch.hpp"
#include "probers.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

namespace {

constexpr Duration burst_interval = 15ms;

Prober fast_prober() {
  Prober prober({100ms, burst_interval, 15, 3500ms, 1000ms}, 25ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  prober.answered(1, 1, 2ms, probing_start + 2ms);
  return prober;
}

// Sends each request when it is due until the prober gives up, and returns that time.
Time silent_until_given_up(Prober& prober) {
  const Time nothing_heard{};
  while (!prober.gives_up_at(nothing_heard)) prober.send(*prober.due());
  return *prober.gives_up_at(nothing_heard);
}

}  // namespace

TEST_CASE("a prober gives up when a burst has no answer") {
  Prober prober = fast_prober();
  const Time given_up = silent_until_given_up(prober);
  // A keepalive, the answer time of 10 ms, 15 requests, and the answer time of the last.
  CHECK(given_up == probing_start + 100ms + 10ms + 14 * burst_interval + 10ms);
  CHECK(prober.gives_up(given_up));
}

TEST_CASE("an answer to any request ends the burst") {
  Prober prober = fast_prober();
  silent_until_given_up(prober);
  CHECK(prober.answered(2, 2, 300ms, probing_start + 330ms));
  CHECK_FALSE(prober.gives_up_at({}));
}

TEST_CASE("a record that was heard since the burst began ends it") {
  Prober prober = fast_prober();
  const Time given_up = silent_until_given_up(prober);
  CHECK(prober.gives_up_at(probing_start + 50ms));
  CHECK_FALSE(prober.gives_up_at(given_up - 1ms));
  const Time due = *prober.due();
  CHECK(prober.is_answered_by(due - 1ms, due));
  CHECK(prober.due() > due);
  CHECK_FALSE(prober.gives_up_at({}));
}

TEST_CASE("a burst that this process interrupted is repeated") {
  const bool in_the_middle = GENERATE(true, false);
  Prober prober = fast_prober();
  Time given_up;
  if (in_the_middle) {
    for (int i = 0; i < 10; ++i) prober.send(*prober.due());
    prober.send(*prober.due() + 200ms);
    given_up = *prober.due() - burst_interval + 14 * burst_interval + 10ms;
  } else {
    const Time woken = silent_until_given_up(prober) + 200ms;
    CHECK_FALSE(prober.gives_up(woken));
    prober.send(woken);
    given_up = woken + 14 * burst_interval + 10ms;
  }
  CHECK(silent_until_given_up(prober) == given_up);
}

TEST_CASE("requests of the peer spare all but one a second of our own") {
  Prober prober = fast_prober();
  Time asked = probing_start + 95ms;
  for (Time now = *prober.due(); now < probing_start + 1s; now = *prober.due(), asked += 100ms) {
    REQUIRE(prober.is_spared_by(asked, asked, now));
    CHECK(prober.due() == probing_start + 1s);
  }
  CHECK(prober.due() == probing_start + 1s);
  CHECK_FALSE(prober.is_spared_by(asked, asked, probing_start + 1s));
}

TEST_CASE("a missing request of the peer begins the burst, as a missing answer does") {
  Prober prober = fast_prober();
  const Time asked = probing_start + 95ms;
  REQUIRE(prober.is_spared_by(asked, asked, *prober.due()));
  const Time due = asked + prober.asked_within();
  prober.request_missing(due);
  CHECK(prober.due() == due);
  CHECK_FALSE(prober.is_spared_by(asked, asked, due));
  for (int i = 0; i < 15; ++i) prober.send(*prober.due());
  CHECK(prober.gives_up_at(asked) == due + 14 * burst_interval + 10ms);
}

TEST_CASE("data in place of a missing request causes one request and no burst") {
  Prober prober = fast_prober();
  const Time asked = probing_start + 95ms;
  REQUIRE(prober.is_spared_by(asked, asked, *prober.due()));
  const Time due = asked + prober.asked_within();
  prober.request_missing(due);
  CHECK_FALSE(prober.is_spared_by(asked, due - 50ms, due));
  prober.send(due);
  CHECK(prober.due() == due + 10ms);  // then its own answer would be late
}

TEST_CASE("a request of the peer that is reported missing too early is waited for") {
  Prober prober = fast_prober();
  const Time asked = probing_start + 95ms;
  REQUIRE(prober.is_spared_by(asked, asked, *prober.due()));
  prober.request_missing(asked + 105ms);
  REQUIRE(prober.is_spared_by(asked, asked, asked + 105ms));
  CHECK(prober.due() == asked + prober.asked_within());
}

TEST_CASE("a peer that asks more rarely causes no more requests") {
  Prober prober = fast_prober();
  const Time own = *prober.due();
  prober.send(own);
  prober.answered(2, 2, 2ms, own + 2ms);
  prober.request_missing(own + 10ms);
  CHECK(prober.due() == own + 100ms);
}

TEST_CASE("an earlier association's missing request does not count for a new one") {
  Prober prober = fast_prober();
  prober.begin(probing_start + 50ms);
  prober.request_missing(probing_start + 60ms);
  CHECK(prober.due() == probing_start + 50ms);
}

TEST_CASE("requests that come more rarely than our own spare none") {
  Prober prober = fast_prober();
  CHECK_FALSE(prober.is_spared_by(probing_start - 900ms, probing_start, *prober.due()));
}

TEST_CASE("--keepalive sets the interval of both ends' requests") {
  Prober prober = prober_by_hand(100ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  prober.answered(1, 1, 1ms, probing_start + 1ms);
  const Time asked = probing_start + 95ms;
  CHECK_FALSE(prober.is_spared_by(asked, asked, *prober.due()));
}

TEST_CASE("a hint that the peer is dead causes a request at once, and its burst") {
  Prober prober = fast_prober();
  const Time hint = probing_start + 20ms;
  prober.suspect(hint);
  CHECK(prober.due() == hint);
  CHECK_FALSE(prober.is_spared_by(hint - 1ms, hint - 1ms, hint));  // an acceptor asks, too
  prober.send(hint);
  prober.suspect(hint + 1ms);  // no effect while a request has no answer
  CHECK(prober.due() == hint + prober.answer_time());
  CHECK(silent_until_given_up(prober) - hint <= 260ms);
}

TEST_CASE("an answer ends the suspicion of a hint") {
  Prober prober = fast_prober();
  prober.suspect(probing_start + 20ms);
  const auto request = prober.send(probing_start + 20ms);
  REQUIRE(prober.answered(request, 2, 2ms, probing_start + 22ms));
  CHECK(prober.due() == probing_start + 120ms);
  CHECK_FALSE(prober.gives_up_at(probing_start + 22ms));
}
