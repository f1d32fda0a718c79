// The impairments of the datagrams of one direction, decided by a seed. Pure: no I/O, no clock. The
// proxy and the simulator get the same decisions from the same sizes and times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "routevpn/base/clock.hpp"

namespace routevpn::test {

// Shares are 0..1 of all datagrams. They apply to a datagram in this order.
struct Impairments {
  std::size_t max_bytes = 0;  // larger ones are dropped without an ICMP error; 0: none
  double drop = 0;
  double rate = 0;                                // bits per second of payload; 0: no limit
  Duration queue = std::chrono::seconds(1);       // a datagram that would wait longer is dropped
  Duration delay{};                               // of every datagram
  Duration jitter{};                              // at most this in addition; keeps the order
  double reorder = 0;                             // arrive after later ones
  Duration late = std::chrono::milliseconds(10);  // by at most this
  double duplicate = 0;                           // arrive twice, the first copy intact
  double corrupt = 0;                             // one bit is flipped
  double truncate = 0;                            // cut at a random place, possibly to nothing

  bool operator==(const Impairments&) const = default;
};

// One arrival of a datagram.
struct Copy {
  Time due;
  std::size_t bytes = 0;    // from the start of the datagram
  std::size_t flip_at = 0;  // index of the byte that is changed
  std::uint8_t flip = 0;    // XOR with this: no bit or one bit
};

struct Fate {
  std::size_t count = 0;  // 0: lost
  Copy copies[2];
};

struct ScheduleCounters {
  std::uint64_t seen = 0;
  std::uint64_t bytes = 0;  // of all datagrams seen
  std::uint64_t too_big = 0;
  std::uint64_t dropped = 0;
  std::uint64_t overflowed = 0;  // dropped by the queue
  std::uint64_t reordered = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t truncated = 0;
};

// The random numbers of datagram n depend only on the seed and n, not on the time or earlier
// impairments.
class Schedule {
 public:
  explicit Schedule(std::uint64_t seed) : seed_(seed) {}

  Impairments impairments;

  // Decides about the next datagram. `now` never decreases from call to call.
  Fate decide(std::size_t bytes, Time now);
  [[nodiscard]] const ScheduleCounters& counters() const { return counters_; }

 private:
  // Each die of a datagram has its own place in the sequence, whether it is thrown or not.
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
  Time rate_free_{};  // end of the last datagram on the line
  Time last_due_{};   // of the datagrams that keep the order
  ScheduleCounters counters_;
};

// Datagrams in flight in the order of arrival, and with equal times in the order of sending.
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
