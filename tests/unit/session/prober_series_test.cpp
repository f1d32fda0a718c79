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
  CHECK(prober.send(*prober.due()) == 12);  // the lane may have sent 3 to 11
  CHECK(prober.begin_series() == 0);
  CHECK_FALSE(prober.answered(3, 3, 2ms, sent_at(3) + 3ms, sent_at(3)));
  prober.unanswered(3, sent_at(3), sent_at(3) + 10ms);
  CHECK(prober.due() == sent_at(3) + 1ms + prober.answer_time());
}

TEST_CASE("a series that ends with its lane uses no number twice, and loses nothing") {
  Prober prober = prober_in_series();
  answer(prober, 2);
  prober.end_series();
  const Time later = sent_at(3) + 1ms;
  CHECK(prober.send(later) == 12);
  CHECK(prober.answered(12, 3, 2ms, later + 2ms));
  CHECK(prober.status(later + 2ms).loss_tx == 0);
  CHECK(prober.status(later + 2ms).loss_rx == 0);
}

TEST_CASE("a lane that tells nothing of its series delays the next request by two keepalives") {
  Prober prober = prober_in_series();
  CHECK(prober.due() == sent_at(13) + prober.answer_time());
  CHECK(prober.send(*prober.due()) == 12);
}

TEST_CASE("a reply that the mailbox lost does not end a series") {
  Prober prober = prober_in_series();
  answer(prober, 2);
  answer(prober, 4);
  SECTION("whose last one is answered") {
    answer(prober, 11);
    CHECK(prober.due() == sent_at(12));
    CHECK(prober.send(sent_at(12)) == 12);
  }
  SECTION("or is missing") {
    prober.unanswered(6, sent_at(6), sent_at(6) + 10ms);
    CHECK(prober.send(*prober.due()) == 7);
  }
}

TEST_CASE("what an earlier series misses does not end a later one") {
  Prober prober = prober_in_series();
  answer(prober, 2);
  CHECK(prober.send(sent_at(4)) == 12);  // the check after a restart hint
  CHECK(prober.begin_series() == 9);
  const auto due = prober.due();
  prober.unanswered(3, sent_at(3), sent_at(4) + 1ms);
  CHECK(prober.due() == due);
}

TEST_CASE("a round trip above the keepalive leaves nothing to the lane") {
  Prober prober({100ms, 15ms, 15, 3500ms, 1000ms}, 25ms);
  prober.begin(probing_start);
  prober.send(probing_start);
  prober.answered(1, 1, 150ms, probing_start + 150ms);
  prober.send(probing_start + 200ms);
  CHECK(prober.begin_series() == 0);
}

TEST_CASE("the request of a series that is under way is not lost yet") {
  Prober prober = prober_in_series();
  CHECK(prober.status(sent_at(2) + 900ms).loss == 0);
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
