#include "routevpn/session/prober.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

namespace {
const Time probing_start{1h};

Prober prober_by_hand(Duration keepalive) {
  return {Detection::by_hand(keepalive, 3500ms), 100ms};
}
}  // namespace

TEST_CASE("a prober sends a request at once, then one per keepalive while replies arrive") {
  Prober prober = prober_by_hand(1000ms);
  CHECK_FALSE(prober.due());
  prober.begin(probing_start);
  CHECK(prober.due() == probing_start);
  CHECK(prober.send(probing_start) == 1);
  REQUIRE(prober.answered(1, 1, 5ms, probing_start + 5ms));
  CHECK(prober.due() == probing_start + 1000ms);
  CHECK(prober.send(probing_start + 1000ms) == 2);
  CHECK(prober.due() == probing_start + 1250ms);  // unless a reply arrives
  REQUIRE(prober.answered(2, 2, 5ms, probing_start + 1005ms));
  CHECK(prober.due() == probing_start + 2000ms);
  prober.end();
  CHECK_FALSE(prober.due());
}

TEST_CASE("without a reply the interval doubles from the first retry to a quarter of keepalive") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  Time now = probing_start;
  std::vector<Duration> gaps;
  for (int i = 0; i < 6; ++i) {
    prober.send(now);
    gaps.push_back(*prober.due() - now);
    now = *prober.due();
  }
  // After 1 s, the longest time to the first answer, a burst begins.
  CHECK(gaps == std::vector<Duration>{100ms, 200ms, 250ms, 250ms, 200ms, 250ms});
}

TEST_CASE("at the defaults dead-after contains at least 10 retries") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  prober.answered(1, 1, 1ms, probing_start + 1ms);
  int tries = 0;
  for (Time now = *prober.due(); now < probing_start + 3500ms; now = *prober.due()) {
    prober.send(now);
    ++tries;
  }
  CHECK(tries >= 10);
}

TEST_CASE("the status has the last, least and smoothed round trip and the jitter") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  CHECK_FALSE(prober.status(probing_start).last);
  prober.send(probing_start);
  prober.answered(1, 1, 10ms, probing_start + 10ms);
  prober.send(probing_start + 1s);
  prober.answered(2, 2, 18ms, probing_start + 1s + 18ms);
  const auto status = prober.status(probing_start + 2s);
  CHECK(*status.last == 18ms);
  CHECK(status.min == 10ms);
  CHECK(status.smoothed == 11ms);
  CHECK(status.jitter == 500us);
  prober.reset_path();
  CHECK_FALSE(prober.status(probing_start + 2s).last);
}

TEST_CASE("a reply to no request and a second reply are refused") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  CHECK_FALSE(prober.answered(2, 2, 1ms, probing_start + 1ms));
  CHECK(prober.answered(1, 1, 1ms, probing_start + 1ms));
  CHECK_FALSE(prober.answered(1, 1, 1ms, probing_start + 2ms));
}

TEST_CASE(
    "a false timestamp cannot make a round trip negative or longer than the wait for the reply") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  prober.answered(1, 1, -5s, probing_start + 10ms);
  CHECK(*prober.status(probing_start).last > 0ms);
  prober.send(probing_start + 1s);
  prober.answered(2, 2, 1h, probing_start + 1s + 10ms);
  CHECK(*prober.status(probing_start).last <= 11ms);
}

TEST_CASE("loss is the unanswered share of the last 100 requests") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  Time now = probing_start;
  for (std::uint32_t i = 1; i <= 200; ++i) {
    prober.send(now);
    if (i % 4 != 0) prober.answered(i, i, 1ms, now + 1ms);
    now += 1s;
  }
  CHECK(prober.status(now + 10s).loss == Approx(0.25));
  prober.begin(now);
  CHECK(prober.status(now).loss == 0);
}

TEST_CASE("a request in flight is not lost yet") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  CHECK(prober.status(probing_start + 500ms).loss == 0);
  CHECK(prober.status(probing_start + 1500ms).loss == 1);
}

namespace {

// Loses every n-th request or reply; 0: none. Round trips take 1 ms.
PathStatus lossy(Prober& prober, std::uint32_t count, std::uint32_t lose_request_each,
                 std::uint32_t lose_reply_each) {
  Time now = probing_start;
  std::uint32_t received = 0;
  for (std::uint32_t i = 1; i <= count; ++i, now += 1s) {
    const auto sequence = prober.send(now);
    if (lose_request_each != 0 && i % lose_request_each == 0) continue;
    ++received;
    if (lose_reply_each != 0 && i % lose_reply_each == 0) continue;
    prober.answered(sequence, received, 1ms, now + 1ms);
  }
  return prober.status(now + 10s);
}

}  // namespace

TEST_CASE("the peer's count of requests distinguishes lost requests from lost replies") {
  const auto count = GENERATE(99U, 1001U);
  CAPTURE(count);
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  auto status = lossy(prober, count, 5, 0);
  CHECK(status.loss == Approx(0.2).margin(0.02));
  CHECK(status.loss_tx == Approx(0.2).margin(0.02));
  CHECK(status.loss_rx == 0);
  prober.begin(probing_start);
  status = lossy(prober, count, 0, 4);
  CHECK(status.loss == Approx(0.25).margin(0.02));
  CHECK(status.loss_tx == 0);
  CHECK(status.loss_rx == Approx(0.25).margin(0.02));
  prober.begin(probing_start);
  status = lossy(prober, count, 4, 10);
  CHECK(status.loss_tx == Approx(0.25).margin(0.02));
  CHECK(status.loss_rx == Approx(0.067).margin(0.02));  // 5 of 75
}

TEST_CASE("losses before the first reply and after the last have no direction") {
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  for (int i = 0; i < 5; ++i) prober.send(probing_start + i * 1s);
  CHECK(prober.status(probing_start + 10s).loss == 1);
  CHECK(prober.status(probing_start + 10s).loss_tx == 0);
  CHECK(prober.status(probing_start + 10s).loss_rx == 0);
  prober.send(probing_start + 10s);
  prober.answered(6, 6, 1ms,
                  probing_start + 10s + 1ms);  // the peer received all 6: replies were lost
  CHECK(prober.status(probing_start + 20s).loss_tx == 0);
  CHECK(prober.status(probing_start + 20s).loss_rx == Approx(5.0 / 6));
  for (int i = 0; i < 5; ++i) prober.send(probing_start + 11s + i * 1s);
  CHECK(prober.status(probing_start + 20s).loss_rx == Approx(5.0 / 6));
}

TEST_CASE("loss stays within 0..1 for wrong counts and reordered replies") {
  for (const std::uint32_t claimed : {0U, 1U, 3U, 1000U, 0xffffffffU}) {
    CAPTURE(claimed);
    Prober prober = prober_by_hand(1000ms);
    prober.begin(probing_start);
    for (std::uint32_t i = 1; i <= 4; ++i) prober.send(probing_start);
    prober.answered(3, claimed, 1ms, probing_start + 1ms);
    prober.answered(2, 0xffffffffU - claimed, 1ms, probing_start + 1ms);
    const auto status = prober.status(probing_start + 1s);
    CHECK(status.loss_tx >= 0);
    CHECK(status.loss_tx <= 1);
    CHECK(status.loss_rx >= 0);
    CHECK(status.loss_rx <= 1);
  }
  Prober prober = prober_by_hand(1000ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  prober.send(probing_start);
  prober.answered(2, 1, 1ms, probing_start + 1ms);  // the second request arrived first
  prober.answered(1, 2, 1ms, probing_start + 1ms);
  CHECK(prober.status(probing_start + 2ms).loss_tx == 0);
  CHECK(prober.status(probing_start + 2ms).loss_rx == 0);
}

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
    CHECK(prober.due() == std::min(asked + 100ms + 10ms, probing_start + 1s));
  }
  CHECK(prober.due() == probing_start + 1s);
  CHECK_FALSE(prober.is_spared_by(asked, asked, probing_start + 1s));
}

TEST_CASE("a missing request of the peer begins the burst, as a missing answer does") {
  Prober prober = fast_prober();
  const Time asked = probing_start + 95ms;
  REQUIRE(prober.is_spared_by(asked, asked, *prober.due()));
  const Time due = *prober.due();
  CHECK_FALSE(prober.is_spared_by(asked, asked, due));
  for (int i = 0; i < 15; ++i) prober.send(*prober.due());
  CHECK(prober.gives_up_at(asked) == due + 14 * burst_interval + 10ms);
}

TEST_CASE("data in place of a missing request causes one request and no burst") {
  Prober prober = fast_prober();
  const Time asked = probing_start + 95ms;
  REQUIRE(prober.is_spared_by(asked, asked, *prober.due()));
  const Time due = *prober.due();
  CHECK_FALSE(prober.is_spared_by(asked, due - 50ms, due));
  prober.send(due);
  CHECK(prober.due() == due + 10ms);  // then its own answer would be late
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
  options::LinkOptions options;
  options.detection = options::Detection::fast;
  Prober prober(Detection::of(options), 25ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  REQUIRE(prober.answered(1, 1, 5ms, probing_start + 5ms));
  const Time hint = probing_start + 20ms;
  prober.suspect(hint);
  CHECK(prober.due() == hint);
  CHECK_FALSE(prober.is_spared_by(hint - 1ms, hint - 1ms, hint));  // an acceptor asks, too
  prober.send(hint);
  prober.suspect(hint + 1ms);  // no effect while a request has no answer
  CHECK(prober.due() == hint + prober.answer_time());
  Time now = hint;
  while (!prober.gives_up_at(probing_start + 5ms)) prober.send(now = *prober.due());
  CHECK(*prober.gives_up_at(probing_start + 5ms) - hint <= 260ms);
}

TEST_CASE("an answer ends the suspicion of a hint") {
  options::LinkOptions options;
  options.detection = options::Detection::fast;
  Prober prober(Detection::of(options), 25ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  REQUIRE(prober.answered(1, 1, 5ms, probing_start + 5ms));
  prober.suspect(probing_start + 20ms);
  const auto request = prober.send(probing_start + 20ms);
  REQUIRE(prober.answered(request, 2, 5ms, probing_start + 25ms));
  CHECK(prober.due() == probing_start + 120ms);
  CHECK_FALSE(prober.gives_up_at(probing_start + 25ms));
}
