// A path MTU search on a simulated path and clock.
#pragma once

#include <algorithm>
#include <deque>
#include <random>
#include <utility>
#include <vector>

#include "routevpn/session/path_mtu.hpp"

namespace routevpn::test {

using session::PathMtu;

inline const Time start{std::chrono::hours(1)};
inline constexpr PathMtu::Range v6{1280, 1500};
inline constexpr PathMtu::Range v4{576, 1500};

// A path that carries packets up to `mtu` bytes, and the search that probes it.
struct Path {
  PathMtu search;
  Time now = start;
  unsigned mtu = 1500;
  Duration round_trip = std::chrono::milliseconds(10);
  bool icmp = false;
  double loss = 0;  // probability that request or reply is lost, 0..1
  unsigned large_sent = 0;
  std::vector<unsigned> sizes;                  // of the probes, without repetitions
  std::vector<std::pair<Time, unsigned>> used;  // each change of in_use()

  struct Answer {
    Time at;
    std::uint32_t sequence;
  };
  std::deque<Answer> answers;
  std::mt19937_64 random{1};

  void begin(PathMtu::Range range, unsigned guess) {
    search.set_path(round_trip, loss);
    search.begin(range, guess, now);
    note();
  }
  void run(Duration duration) {
    const Time end = now + duration;
    while (step(end)) {
    }
    now = end;
  }
  // False: no event is due until `end`.
  bool step(Time end) {
    Time next = end + std::chrono::nanoseconds(1);
    if (search.due()) next = std::min(next, *search.due());
    if (!answers.empty()) next = std::min(next, answers.front().at);
    if (next > end) return false;
    now = std::max(now, next);
    if (!answers.empty() && answers.front().at <= now) {
      const auto answer = answers.front();
      answers.pop_front();
      search.answered(answer.sequence, now);
    } else if (search.raise_due(now)) {
      search.search_again(1500, now);
    } else {
      send();
    }
    note();
    return true;
  }
  void send() {
    for (const auto& probe : search.send(now)) {
      if (probe.mtu > 0 && (sizes.empty() || sizes.back() != probe.mtu)) {
        sizes.push_back(probe.mtu);
      }
      if (probe.mtu > 0) ++large_sent;
      if (probe.mtu > mtu || mtu == 0) {
        if (icmp) search.too_big(mtu, now);
        continue;
      }
      if (std::uniform_real_distribution<double>(0, 1)(random) < loss) continue;
      answers.push_back({now + round_trip, probe.sequence});
    }
  }
  // Runs until the search has found `expected`. Returns the time taken.
  Duration settle(unsigned expected, Duration at_most = std::chrono::seconds(30)) {
    const Time begun = now;
    while (search.found() != expected && step(begun + at_most)) {
    }
    return now - begun;
  }
  void note() {
    if (used.empty() || used.back().second != search.in_use())
      used.emplace_back(now, search.in_use());
  }
};

}  // namespace routevpn::test
