// Waiting for a condition that only asking can tell.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace routevpn::host {

// After a crash and a quick restart the guardian of the run before may still be clearing away: so
// long it has before what it held counts as somebody else's.
inline constexpr std::chrono::milliseconds predecessor_grace{2000};

// True as soon as the condition is, false when it has not come true within the time.
inline bool comes_true(const std::function<bool()>& condition, std::chrono::milliseconds within) {
  constexpr std::chrono::milliseconds pause{5};
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

}  // namespace routevpn::host
