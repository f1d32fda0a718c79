#include "virtual_clock.hpp"

#include <atomic>
#include <cstdint>
#include <ctime>

#include <sys/time.h>

namespace routevpn::test::virtual_clock {

namespace {

// Atomic, because threads of other tests in the program may read the clock.
std::atomic<std::int64_t> wall_us{0};  // microseconds since 1970; 0: the real clock
std::atomic<unsigned long> reads{0};
Time last_set;

std::int64_t real_us() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

std::int64_t wall_now() {
  const std::int64_t us = wall_us;
  return us != 0 ? us : real_us();
}

}  // namespace

void set(Time now) {
  if (wall_us == 0) {
    wall_us = real_us();
  } else {
    wall_us += std::chrono::duration_cast<std::chrono::microseconds>(now - last_set).count();
  }
  last_set = now;
}

std::chrono::system_clock::time_point wall() {
  return std::chrono::system_clock::time_point(std::chrono::microseconds(wall_now()));
}

unsigned long times_read() {
  return reads;
}

}  // namespace routevpn::test::virtual_clock

extern "C" int gettimeofday(timeval* now, void*) noexcept {
  using namespace routevpn::test::virtual_clock;
  ++reads;
  const std::int64_t us = wall_now();
  now->tv_sec = us / 1'000'000;
  now->tv_usec = us % 1'000'000;
  return 0;
}

extern "C" time_t time(time_t* result) noexcept {
  const auto now = static_cast<time_t>(routevpn::test::virtual_clock::wall_now() / 1'000'000);
  if (result != nullptr) *result = now;
  return now;
}
