#include "impair/schedule.hpp"

#include <bit>
#include <cmath>
#include <set>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

constexpr Time start{1000h};
constexpr int many = 100'000;

// Calls `look` with the fates of `many` datagrams of 1000 bytes, one every 10 us. Returns the
// counters.
template <typename Look>
ScheduleCounters play(const Impairments& impairments, Look look, std::uint64_t seed = 1) {
  Schedule schedule(seed);
  schedule.impairments = impairments;
  for (int i = 0; i < many; ++i) look(schedule.decide(1000, start + i * 10us), start + i * 10us);
  return schedule.counters();
}

// Within five standard deviations: a larger deviation has a probability of 6e-7.
bool is_share(std::uint64_t got, double share) {
  const double expected = many * share;
  const double deviation = std::sqrt(expected * (1 - share));
  return std::abs(static_cast<double>(got) - expected) <= 5 * deviation;
}

}  // namespace

TEST_CASE("without impairments every datagram arrives at once, once and unchanged") {
  const auto counters = play({}, [](const Fate& fate, Time now) {
    if (fate.count != 1) FAIL("not one copy");
    if (fate.copies[0].due != now || fate.copies[0].bytes != 1000 || fate.copies[0].flip != 0) {
      FAIL("changed");
    }
  });
  CHECK(counters.seen == many);
  CHECK(counters.bytes == many * 1000ULL);
  CHECK(counters.dropped + counters.reordered + counters.duplicated + counters.corrupted +
            counters.truncated + counters.too_big + counters.overflowed ==
        0);
}

TEST_CASE("each impairment affects its share of the datagrams, independently of the others") {
  for (const double share : {0.001, 0.05, 0.5, 1.0}) {
    CAPTURE(share);
    const auto nothing = [](const Fate&, Time) {};
    Impairments impairments;
    impairments.drop = share;
    CHECK(is_share(play(impairments, nothing).dropped, share));
    impairments = {};
    impairments.reorder = impairments.duplicate = impairments.corrupt = impairments.truncate =
        share;
    const auto counters = play(impairments, nothing);
    CHECK(is_share(counters.reordered, share));
    CHECK(is_share(counters.duplicated, share));
    CHECK(is_share(counters.corrupted, share));
    CHECK(is_share(counters.truncated, share));
  }
  Impairments even;  // the random numbers of two impairments are independent
  even.drop = even.duplicate = 0.5;
  CHECK(is_share(play(even, [](const Fate&, Time) {}).duplicated, 0.25));
}

TEST_CASE("damaged datagrams have one flipped bit or a missing end") {
  Impairments impairments;
  impairments.corrupt = 0.5;
  impairments.truncate = 0.5;
  impairments.duplicate = 0.5;
  std::set<std::size_t> lengths;
  std::set<std::size_t> places;
  std::set<int> bits;
  play(impairments, [&](const Fate& fate, Time) {
    const auto& last = fate.copies[fate.count - 1];
    if (fate.count == 2 && (fate.copies[0].bytes != 1000 || fate.copies[0].flip != 0)) {
      FAIL("the first of two is damaged");
    }
    if (std::popcount(last.flip) > 1) FAIL("more than one bit");
    if (last.bytes > 1000 || (last.flip != 0 && last.flip_at >= last.bytes)) FAIL("out of bounds");
    lengths.insert(last.bytes);
    if (last.flip != 0) places.insert(last.flip_at);
    if (last.flip != 0) bits.insert(last.flip);
  });
  CHECK(lengths.size() == 1001);
  CHECK(*lengths.begin() == 0);
  CHECK(places.size() == 1000);
  CHECK(bits.size() == 8);
  Schedule schedule(1);
  schedule.impairments = impairments;
  schedule.impairments.corrupt = schedule.impairments.truncate = 1;
  CHECK(schedule.decide(0, start).count >= 1);  // an empty datagram is not damaged
}

TEST_CASE("jitter keeps the order, reordering does not") {
  Impairments impairments;
  impairments.delay = 5ms;
  impairments.jitter = 20ms;
  Time last{};
  Duration least = 1h;
  Duration most{};
  const auto look = [&](const Fate& fate, Time now) {
    if (fate.copies[0].due < last) FAIL("reordered");
    last = fate.copies[0].due;
    least = std::min(least, last - now);
    most = std::max(most, last - now);
  };
  play(impairments, look);
  CHECK(least >= 5ms);
  CHECK(most <= 25ms);
  CHECK(most >= 24ms);

  impairments = {};
  impairments.delay = 5ms;
  impairments.reorder = 0.1;
  impairments.late = 1ms;
  int reordered = 0;
  last = {};
  play(impairments, [&](const Fate& fate, Time now) {
    const auto due = fate.copies[0].due;
    if (due < now + 5ms || due > now + 6ms) FAIL("outside delay and late");
    if (due < last) ++reordered;
    last = due;
  });
  CHECK(reordered > many / 20);
}

TEST_CASE("the rate spaces datagrams, and its queue overflows") {
  Impairments impairments;
  impairments.rate = 8e8;  // 10 us per datagram, the interval of sending
  play(impairments, [](const Fate& fate, Time now) {
    if (fate.count != 1 || fate.copies[0].due != now + 10us) FAIL("not the rate");
  });
  impairments.rate = 4e8;  // half of the datagrams pass
  impairments.queue = 5ms;
  Duration most{};
  const auto counters = play(impairments, [&](const Fate& fate, Time now) {
    if (fate.count == 1) most = std::max(most, fate.copies[0].due - now);
  });
  CHECK(most <= 5ms + 20us);
  CHECK(most > 4900us);
  // Half of the datagrams are dropped, except for those in the queue at the end.
  CHECK(counters.overflowed >= many / 2 - 300);
  CHECK(counters.overflowed <= many / 2);
}

TEST_CASE("datagrams larger than the MTU are dropped") {
  Schedule schedule(1);
  schedule.impairments.max_bytes = 1000;
  CHECK(schedule.decide(1000, start).count == 1);
  CHECK(schedule.decide(1001, start).count == 0);
  CHECK(schedule.counters().too_big == 1);
  schedule.impairments.max_bytes = 0;
  CHECK(schedule.decide(65507, start).count == 1);
}

TEST_CASE("the fate of a datagram depends on the seed and its number, not on earlier impairments") {
  Impairments half;
  half.drop = 0.5;
  const auto fates = [&](std::uint64_t seed, int clean) {
    Schedule schedule(seed);
    std::string lost;
    for (int i = 0; i < 200; ++i) {
      if (i == clean) schedule.impairments = half;
      const auto fate = schedule.decide(100 + static_cast<std::size_t>(i), start + i * 1s);
      lost += fate.count == 0 ? 'x' : '.';
    }
    return lost;
  };
  CHECK(fates(1, 0) == fates(1, 0));
  CHECK(fates(1, 0) != fates(2, 0));
  CHECK(fates(1, 0).substr(100) == fates(1, 100).substr(100));
  CHECK(fates(1, 100).substr(0, 100) == std::string(100, '.'));
}

TEST_CASE("datagrams in flight arrive in order of time, then of sending") {
  UnderWay<int> under_way;
  CHECK(under_way.next() == Time::max());
  under_way.add(start + 2ms, 1);
  under_way.add(start + 1ms, 2);
  under_way.add(start + 1ms, 3);
  CHECK(under_way.next() == start + 1ms);
  CHECK(under_way.take() == 2);
  CHECK(under_way.take() == 3);
  CHECK(under_way.take() == 1);
  CHECK(under_way.empty());
}
