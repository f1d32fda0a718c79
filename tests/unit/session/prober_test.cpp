#include "catch.hpp"
#include "probers.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

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
