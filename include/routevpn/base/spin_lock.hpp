// A lock for a few instructions, cheaper than a mutex: it is left by a plain store.
#pragma once

#include <atomic>
#include <thread>

namespace routevpn {

// For std::scoped_lock. A copy is a lock of its own, not held.
class SpinLock {
 public:
  SpinLock() = default;
  SpinLock(const SpinLock& /*other*/) {}
  SpinLock& operator=(const SpinLock& /*other*/) { return *this; }
  ~SpinLock() = default;

  void lock() {
    for (int tries = 1; held_.exchange(true, std::memory_order_acquire); ++tries) {
      // The holder has lost its processor.
      if (tries % tries_before_yield == 0) std::this_thread::yield();
    }
  }
  void unlock() { held_.store(false, std::memory_order_release); }

 private:
  static constexpr int tries_before_yield = 100;
  std::atomic<bool> held_{false};
};

}  // namespace routevpn
