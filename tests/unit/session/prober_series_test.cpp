// Requests that a prober leaves to the lane.

#include "catch.hpp"
#include "probers.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

namespace {

// Request 2 is sent, and 3 to 11 are left to the lane.
Prober prober_in_series() {
  Prober prober({100ms, 15ms, 15, 3500ms, 1000ms}, 25ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  CHECK(prober.begin_series() == 0);  // no round trip is known
  prober.answered(1, 1, 2ms, probing_start + 2ms);
  CHECK(prober.send(probing_start + 100ms) == 2);
  CHECK(prober.begin_series() == 9);
  return prober;
}

Time sent_at(std::uint32_t sequence) {
  return probing_start + (sequence - 1) * 100ms;
}

void answer(Prober& prober, std::uint32_t sequence, Duration round_trip = 2ms) {
  const Time sent = sent_at(sequence);
  CHECK(prober.answered(sequence, sequence, round_trip, sent + 900ms, sent));
}

}  // namespace

TEST_CASE("the next request is due a keepalive after the last one of a series") {
  Prober prober = prober_in_series();
  for (std::uint32_t sequence = 2; sequence < 11; ++sequence) {
    answer(prober, sequence);
    CHECK(prober.due() > sent_at(12));  // only if the lane tells nothing
    CHECK_FALSE(prober.gives_up_at({}));
  }
  answer(prober, 11, 10ms);
  CHECK(prober.due() == sent_at(12));
  const PathStatus status = prober.status(sent_at(12));
  CHECK(status.last == 10ms);
  CHECK(status.min == 2ms);
  CHECK(status.smoothed == 3ms);
  CHECK(status.loss == 0);
  CHECK(status.loss_tx == 0);
  CHECK(prober.send(sent_at(12)) == 12);
}

TEST_CASE("a request of a series without a reply begins a burst") {
  Prober prober = prober_in_series();
  answer(prober, 2);
  answer(prober, 3);
  const Time missed = sent_at(4) + prober.answer_time();
  prober.unanswered(4, sent_at(4), missed);
  CHECK(prober.due() == missed);
  SECTION("which ends with the peer's death") {
    std::uint32_t expected = 5;
    while (!prober.gives_up_at({})) CHECK(prober.send(*prober.due()) == expected++);
    CHECK(expected == 20);
    CHECK(*prober.gives_up_at({}) == missed + 14 * 15ms + 10ms);
  }
  SECTION("unless something was heard meanwhile") {
    CHECK(prober.is_answered_by(sent_at(4) + 5ms, missed));
    CHECK(prober.due() == sent_at(5));
  }
  SECTION("which ends with a late reply") {
    prober.send(missed);
    CHECK(prober.answered(4, 4, 12ms, missed + 2ms));
    CHECK(prober.due() == missed + 100ms);
  }
}

TEST_CASE("a series that misses its first request has ended") {
  Prober prober = prober_in_series();
  prober.unanswered(2, sent_at(2), sent_at(2) + 10ms);
  CHECK(prober.due() == sent_at(2) + 10ms);
  CHECK(prober.send(sent_at(2) + 10ms) == 3);
  CHECK(prober.begin_series() == 0);
}

TEST_CASE("a hint ends a series, and no sequence number is used twice") {
  Prober prober = prober_in_series();
  answer(prober, 2);
  prober.suspect(sent_at(3) + 1ms);
  CHECK(prober.due() == sent_at(3) + 1ms);
  CHECK(prober.send(*prober.due()) == 4);  // the lane may have sent 3
  CHECK(prober.begin_series() == 0);
  CHECK_FALSE(prober.answered(3, 3, 2ms, sent_at(3) + 3ms, sent_at(3)));
  prober.unanswered(3, sent_at(3), sent_at(3) + 10ms);
  CHECK(prober.due() == sent_at(3) + 1ms + prober.answer_time());
}

TEST_CASE("a series ends for another process") {
  Prober prober = prober_in_series();
  answer(prober, 2);
  prober.end_series(sent_at(3) + 1ms);
  CHECK(prober.due() == sent_at(3) + 1ms);
  CHECK(prober.send(*prober.due()) == 4);
}

TEST_CASE("a lane that tells nothing of its series delays the next request by two keepalives") {
  Prober prober = prober_in_series();
  CHECK(prober.due() == sent_at(13) + prober.answer_time());
  CHECK(prober.send(*prober.due()) == 4);
}

TEST_CASE("an interval of a second, or one set by hand, leaves nothing to the lane") {
  Prober patient({1000ms, 170ms, 13, 3500ms, 1000ms}, 25ms);
  Prober by_hand = prober_by_hand(100ms);
  for (Prober* const prober : {&patient, &by_hand}) {
    prober->begin(probing_start);
    prober->send(probing_start);
    prober->answered(1, 1, 2ms, probing_start + 2ms);
    prober->send(probing_start + 1s);
    CHECK(prober->begin_series() == 0);
  }
}
