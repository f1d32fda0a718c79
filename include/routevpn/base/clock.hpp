// Time as every stage sees it: a value handed in, read from the clock once per turn of a loop.
#pragma once

#include <chrono>

namespace routevpn {

using Duration = std::chrono::nanoseconds;
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// CLOCK_BOOTTIME: it counts on while the machine sleeps, as the peer and its patience do.
Time read_clock();

}  // namespace routevpn
