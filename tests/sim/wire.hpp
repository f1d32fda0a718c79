// A wire between two simulated ends that loses, repeats, reorders and corrupts, by a seed.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "routevpn/base/clock.hpp"

namespace routevpn::test {

struct Impairments {
  double loss = 0;  // each 0..1
  double duplication = 0;
  double reordering = 0;
  double corruption = 0;
  double truncation = 0;
};

class Wire {
 public:
  static constexpr Duration delay = std::chrono::milliseconds(5);
  static constexpr Duration late = std::chrono::milliseconds(60);  // at most, when reordered

  explicit Wire(std::uint64_t seed) : random_(seed) {}

  Impairments impairments;

  void send(int to, std::vector<std::uint8_t> datagram, Time now) {
    if (chance(impairments.loss)) return;
    if (chance(impairments.duplication)) arrive(to, datagram, now);
    if (chance(impairments.corruption)) {
      datagram[pick(datagram.size())] ^= static_cast<std::uint8_t>(1U << pick(8));
    }
    if (chance(impairments.truncation)) datagram.resize(pick(datagram.size()));
    arrive(to, std::move(datagram), now);
  }

  [[nodiscard]] Time next() const {
    return under_way_.empty() ? Time::max() : under_way_.begin()->first;
  }
  // The oldest datagram: to which end, and what.
  std::pair<int, std::vector<std::uint8_t>> take() {
    auto first = under_way_.begin();
    auto datagram = std::move(first->second);
    under_way_.erase(first);
    return datagram;
  }
  std::size_t pick(std::size_t below) { return below == 0 ? 0 : random_() % below; }
  bool chance(double probability) {
    return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
  }

 private:
  void arrive(int to, std::vector<std::uint8_t> datagram, Time now) {
    Time when = now + delay;
    if (chance(impairments.reordering)) {
      when += Duration(static_cast<Duration::rep>(pick(static_cast<std::size_t>(late.count()))));
    }
    under_way_.emplace(when, std::pair{to, std::move(datagram)});
  }

  std::mt19937_64 random_;
  std::multimap<Time, std::pair<int, std::vector<std::uint8_t>>> under_way_;
};

}  // namespace routevpn::test
