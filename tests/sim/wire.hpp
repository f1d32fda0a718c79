// A wire between two simulated ends: the schedules that tests/impair plays to real processes, on a
// virtual clock, and a NAT that may forget.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "routevpn/base/clock.hpp"

#include "impair/schedule.hpp"

namespace routevpn::test {

// A datagram where it arrives.
struct Delivery {
  int to = 0;
  int from_rebinds = 0;  // the sender's, when it left
  std::vector<std::uint8_t> data;
};

class Wire {
 public:
  static constexpr Duration delay = std::chrono::milliseconds(5);
  static constexpr Duration late = std::chrono::milliseconds(60);  // at most, when reordered

  explicit Wire(std::uint64_t seed)
      : random_(seed), directions_{Schedule(2 * seed), Schedule(2 * seed + 1)} {
    impair({});
  }

  // Both directions, or the one to this end. The wire's own delay comes on top.
  void impair(Impairments impairments) {
    impair(0, impairments);
    impair(1, impairments);
  }
  void impair(int to, Impairments impairments) {
    impairments.delay += delay;
    impairments.late = late;
    direction(to).impairments = impairments;
  }
  // What a whole IPv4 packet may have; larger ones are lost.
  unsigned mtu = 1500;
  [[nodiscard]] bool carries(std::size_t datagram_bytes) const {
    return 20 + 8 + datagram_bytes <= mtu;
  }

  void send(int to, int from_rebinds, std::vector<std::uint8_t> datagram, Time now) {
    if (!carries(datagram.size())) return;
    const auto fate = direction(to).decide(datagram.size(), now);
    for (std::size_t i = 0; i < fate.count; ++i) {
      const auto& copy = fate.copies[i];  // an intact one comes before a damaged one
      if (copy.flip != 0) datagram[copy.flip_at] ^= copy.flip;
      const auto end = datagram.begin() + static_cast<std::ptrdiff_t>(copy.bytes);
      under_way_.add(copy.due, {to, from_rebinds, {datagram.begin(), end}});
    }
  }

  [[nodiscard]] Time next() const { return under_way_.next(); }
  Delivery take() { return under_way_.take(); }
  std::size_t pick(std::size_t below) { return below == 0 ? 0 : random_() % below; }

 private:
  Schedule& direction(int to) { return directions_[static_cast<std::size_t>(to)]; }

  std::mt19937_64 random_;
  std::array<Schedule, 2> directions_;
  UnderWay<Delivery> under_way_;
};

}  // namespace routevpn::test
