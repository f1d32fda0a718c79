// The clock of all timers. A loop reads it once per turn and passes the value on.
#pragma once

#include <chrono>
#include <ctime>

namespace routevpn {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// CLOCK_BOOTTIME: it also counts while the machine is suspended, because the peer's timers run on.
inline Time read_clock() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return Time(std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec));
}

}  // namespace routevpn
