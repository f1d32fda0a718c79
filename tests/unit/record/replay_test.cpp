#include "routevpn/record/replay.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "routevpn/record/wire.hpp"

#include "catch.hpp"

using namespace routevpn::record;
using routevpn::Drop;
using Verdict = std::optional<Drop>;

namespace {

constexpr Verdict fresh = std::nullopt;
constexpr Verdict replayed = Drop::record_replayed;
constexpr Verdict too_old = Drop::record_too_old;
constexpr std::uint64_t window = ReplayWindow::window;

struct Step {
  int number;
  std::uint64_t sequence;
  Verdict verdict;
};

// Checks and, if fresh, updates, as Opener does.
void walk(const std::vector<Step>& steps) {
  ReplayWindow replay;
  for (const Step& step : steps) {
    INFO("step " << step.number << ", sequence number " << step.sequence);
    const Verdict verdict = replay.check(step.sequence);
    CHECK(verdict == step.verdict);
    if (verdict == fresh) replay.update(step.sequence);
  }
}

}  // namespace

TEST_CASE("the edges of the window, from sequence number 0 on") {
  walk({
      {1, 0, fresh},
      {2, 0, replayed},
      {3, 2, fresh},
      {4, 1, fresh},
      {5, 1, replayed},
      {6, 2, replayed},
      {7, 63, fresh},
      {8, 64, fresh},
      {9, 63, replayed},
      {10, 65, fresh},
      {11, window - 1, fresh},
      {12, 3, fresh},  // the window is [0, 8191]
      {13, 0, replayed},
      {14, window, fresh},
      {15, 0, too_old},  // and now [1, 8192]
      {16, 1, replayed},
      {17, 4, fresh},
      {18, window + 4, fresh},
      {19, 4, too_old},
      {20, 5, fresh},
      {21, 5, replayed},
      {22, 3 * window, fresh},  // a jump beyond the whole ring
      {23, window + 4, too_old},
      {24, 2 * window, too_old},
      {25, 2 * window + 1, fresh},
      {26, 2 * window + 1, replayed},
      {27, 3 * window - 1, fresh},
      {28, 3 * window, replayed},
  });
}

TEST_CASE("bits of the previous turn of the ring are cleared") {
  constexpr std::uint64_t turn = 2 * window;
  walk({
      {1, 100, fresh},
      {2, turn - 1, fresh},
      {3, turn + 100, fresh},  // the same bit as step 1
      {4, turn + 99, fresh},
      {5, turn + 100, replayed},
      {6, 5 * turn + 100, fresh},
      {7, 5 * turn + 99, fresh},
      {8, 5 * turn + 101, fresh},
      {9, 5 * turn + 101 - window, too_old},
      {10, 5 * turn + 102 - window, fresh},
  });
}

TEST_CASE("the first record may carry any number, the last is 2^48 - 1") {
  walk({
      {1, max_sequence - window, fresh},
      {2, 0, too_old},
      {3, max_sequence - 2 * window, too_old},
      {4, max_sequence - 2 * window + 1, fresh},
      {5, max_sequence, fresh},
      {6, max_sequence, replayed},
      {7, max_sequence - window, too_old},
      {8, max_sequence - window + 1, fresh},
      {9, max_sequence - 1, fresh},
      {10, max_sequence - 1, replayed},
  });
}

TEST_CASE("the highest sequence number, and which record raised it") {
  ReplayWindow replay;
  CHECK(replay.highest() == 0);
  CHECK(replay.update(0));
  CHECK(replay.highest() == 0);
  CHECK(replay.update(5));
  CHECK_FALSE(replay.update(4));
  CHECK(replay.highest() == 5);
  CHECK(replay.update(max_sequence));
  CHECK(replay.highest() == max_sequence);
}

TEST_CASE("check() changes nothing") {
  ReplayWindow replay;
  replay.update(10);
  CHECK(replay.check(1'000'000) == fresh);
  CHECK(replay.check(9) == fresh);
  CHECK(replay.check(9) == fresh);
  CHECK(replay.highest() == 10);
}

// The model is a set of all accepted sequence numbers.
TEST_CASE("the window agrees with the model under random jumps") {
  const std::uint64_t seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U);
  std::mt19937_64 random(seed);
  const std::uint64_t start = seed % 2 == 0 ? 0 : max_sequence - 3'000'000;
  ReplayWindow replay;
  std::set<std::uint64_t> taken;
  std::uint64_t here = start + random() % 100;
  for (int step = 0; step < 60'000; ++step) {
    const std::uint64_t kind = random() % 100;
    std::uint64_t sequence = here + 1;
    if (kind >= 98) {
      sequence = here + random() % (5 * window);
    } else if (kind >= 90) {
      sequence = here + random() % 200;
    } else if (kind >= 60) {
      sequence = here - std::min(here, random() % (window + window / 8));
    } else if (kind >= 50) {
      sequence = here - std::min(here, window - 2 + random() % 4);
    }
    sequence = std::min(sequence, max_sequence);

    std::optional<std::uint64_t> highest;
    if (!taken.empty()) highest = *taken.rbegin();
    Verdict expected = fresh;
    if (highest && sequence + window <= *highest) {
      expected = too_old;
    } else if (taken.count(sequence) != 0) {
      expected = replayed;
    }
    INFO("seed " << seed << ", step " << step << ", sequence number " << sequence);
    REQUIRE(replay.check(sequence) == expected);
    if (expected != fresh) continue;
    REQUIRE(replay.update(sequence) == (!highest || sequence > *highest));
    taken.insert(sequence);
    REQUIRE(replay.highest() == *taken.rbegin());
    here = replay.highest();
  }
}
