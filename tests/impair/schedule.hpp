// What a bad network does to the datagrams of one direction, decided by a seed. Pure: sizes and
// times go in, decisions come out, so that the proxy and the simulator play the same schedules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "routevpn/base/clock.hpp"

namespace routevpn::test {

// Shares are 0..1, of all datagrams. A datagram meets them in this order.
struct Impairments {
  std::size_t max_bytes = 0;  // larger ones vanish, as where nobody sends "too big"; 0: none do
  double drop = 0;
  double rate = 0;                                // bits per second of payload; 0: no limit
  Duration queue = std::chrono::seconds(1);       // at most this long before the rate, else dropped
  Duration delay{};                               // of every datagram
  Duration jitter{};                              // up to so much more, keeping the order
  double reorder = 0;                             // arrive later still, and are overtaken
  Duration late = std::chrono::milliseconds(10);  // by at most this
  double duplicate = 0;                           // arrive twice, the first time intact
  double corrupt = 0;                             // one bit is flipped
  double truncate = 0;                            // the end is missing; nothing may be left

  bool operator==(const Impairments&) const = default;
};

// One arrival of a datagram: when, and what of it.
struct Copy {
  Time due;
  std::size_t bytes = 0;    // the first so many
  std::size_t flip_at = 0;  // of them, this byte
  std::uint8_t flip = 0;    // is changed by these bits: none or one
};

struct Fate {
  std::size_t count = 0;  // 0: it is lost
  Copy copies[2];
};

struct ScheduleCounters {
  std::uint64_t seen = 0;
  std::uint64_t bytes = 0;  // of those seen
  std::uint64_t too_big = 0;
  std::uint64_t dropped = 0;
  std::uint64_t overflowed = 0;  // the queue before the rate
  std::uint64_t reordered = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t truncated = 0;
};

// The dice of datagram n depend on the seed and n alone: neither on time nor on what the
// impairments were before.
class Schedule {
 public:
  explicit Schedule(std::uint64_t seed) : seed_(seed) {}

  Impairments impairments;

  // The next datagram. Time does not go back from call to call.
  Fate decide(std::size_t bytes, Time now);
  [[nodiscard]] const ScheduleCounters& counters() const { return counters_; }

 private:
  // Each die of a datagram has its own place in the sequence, thrown or not.
  enum Die : std::uint64_t {
    drop,
    jitter,
    reorder,
    late,
    duplicate,
    corrupt,
    byte,
    bit,
    truncate,
    cut,
    dice
  };
  [[nodiscard]] std::uint64_t throw_die(Die die) const;
  [[nodiscard]] bool happens(Die die, double share) const;
  [[nodiscard]] Duration up_to(Die die, Duration most) const;
  bool pass_rate(std::size_t bytes, Time& leaves);
  void damage(Copy& copy);

  std::uint64_t seed_;
  std::uint64_t number_ = 0;
  Time rate_free_{};  // when the last datagram has passed the rate
  Time last_due_{};   // of those in order
  ScheduleCounters counters_;
};

// What is under way, in the order of arrival; of what arrives at the same time, in that of sending.
template <typename Parcel>
class UnderWay {
 public:
  void add(Time due, Parcel parcel) { parcels_.emplace(due, std::move(parcel)); }
  [[nodiscard]] bool empty() const { return parcels_.empty(); }
  [[nodiscard]] Time next() const {
    return parcels_.empty() ? Time::max() : parcels_.begin()->first;
  }
  Parcel take() {
    auto parcel = std::move(parcels_.begin()->second);
    parcels_.erase(parcels_.begin());
    return parcel;
  }

 private:
  std::multimap<Time, Parcel> parcels_;
};

}  // namespace routevpn::test
