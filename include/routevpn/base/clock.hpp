// The clock of all timers. A loop reads it once per turn and passes the value on.
#pragma once

#include <chrono>

namespace routevpn {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// CLOCK_BOOTTIME: it also counts while the machine is suspended, because the peer's timers run on.
Time read_clock();

}  // namespace routevpn
