// Sends at a rate until a signal comes.
#pragma once

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <thread>

#include "routevpn/base/clock.hpp"

namespace routevpn::test {

inline volatile std::sig_atomic_t stopped = 0;

inline void stop_on_signals() {
  for (const int number : {SIGTERM, SIGINT}) std::signal(number, [](int) { stopped = 1; });
}

// Calls act(n) for n = 0, 1, ... `rate` times a second, and meanwhile() every 0.1 ms. After a pause
// of the process it catches up at most 64 calls.
template <typename Act, typename Meanwhile>
void paced(double rate, Act act, Meanwhile meanwhile) {
  const Time start = read_clock();
  double acted = 0;
  std::uint64_t number = 0;
  while (stopped == 0) {
    const double due = std::chrono::duration<double>(read_clock() - start).count() * rate;
    acted = std::max(acted, due - 64);
    for (; acted < due && stopped == 0; ++acted) act(number++);
    meanwhile();
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

}  // namespace routevpn::test
