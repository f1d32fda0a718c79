#include "impair/schedule.hpp"

#include <algorithm>
#include <cmath>

namespace routevpn::test {

namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014). Neighbouring inputs give unrelated
// outputs.
std::uint64_t mix(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  x ^= x >> 31;
  return x;
}

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;

}  // namespace

std::uint64_t Schedule::throw_die(Die die) const {
  return mix(mix(seed_ * golden + 1) + (number_ * dice + die) * golden);
}

bool Schedule::happens(Die die, double share) const {
  return share > 0 && std::ldexp(static_cast<double>(throw_die(die) >> 11), -53) < share;
}

Duration Schedule::up_to(Die die, Duration most) const {
  if (most <= Duration::zero()) return {};
  return Duration(
      static_cast<Duration::rep>(throw_die(die) % (static_cast<std::uint64_t>(most.count()) + 1)));
}

// A queue before a line with the rate.
bool Schedule::pass_rate(std::size_t bytes, Time& leaves) {
  if (impairments.rate <= 0) return true;
  const Time begins = std::max(leaves, rate_free_);
  if (begins - leaves > impairments.queue) return false;
  const double seconds = 8.0 * static_cast<double>(bytes) / impairments.rate;
  leaves = rate_free_ = begins + Duration(std::llround(seconds * 1e9));
  return true;
}

void Schedule::damage(Copy& copy) {
  if (copy.bytes == 0) return;
  if (happens(corrupt, impairments.corrupt)) {
    copy.flip_at = throw_die(byte) % copy.bytes;
    copy.flip = static_cast<std::uint8_t>(1U << throw_die(bit) % 8);
    ++counters_.corrupted;
  }
  if (happens(truncate, impairments.truncate)) {
    copy.bytes = throw_die(cut) % copy.bytes;
    if (copy.flip_at >= copy.bytes) copy.flip = 0;
    ++counters_.truncated;
  }
}

Fate Schedule::decide(std::size_t bytes, Time now) {
  ++number_;
  ++counters_.seen;
  counters_.bytes += bytes;
  Fate fate;
  if (impairments.max_bytes != 0 && bytes > impairments.max_bytes) {
    ++counters_.too_big;
    return fate;
  }
  if (happens(drop, impairments.drop)) {
    ++counters_.dropped;
    return fate;
  }
  Time due = now;
  if (!pass_rate(bytes, due)) {
    ++counters_.overflowed;
    return fate;
  }
  due = std::max(due + impairments.delay + up_to(jitter, impairments.jitter), last_due_);
  if (happens(reorder, impairments.reorder)) {
    due += up_to(late, impairments.late);
    ++counters_.reordered;
  } else {
    last_due_ = due;
  }
  if (happens(duplicate, impairments.duplicate)) {
    fate.copies[fate.count++] = {due, bytes};
    ++counters_.duplicated;
  }
  auto& copy = fate.copies[fate.count++];
  copy = {due, bytes};
  damage(copy);
  return fate;
}

}  // namespace routevpn::test
