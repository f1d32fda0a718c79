// A ring of slots between one writing and one reading thread, without locks or allocation. The
// writer handles a full ring.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

namespace routevpn::datapath {

template <typename T, std::size_t capacity>
class SpscRing {
  static_assert((capacity & (capacity - 1)) == 0,
                "a power of two, because the indices wrap around");

 public:
  // Writer: the slot to fill, or nullptr if the ring is full. publish() hands the slot over.
  T* reserve() {
    const auto tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_.load(std::memory_order_acquire) == capacity) return nullptr;
    return &(*slots_)[tail % capacity];
  }
  void publish() {
    tail_.store(tail_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  // Writer: the number of slots that the reader has released since the start.
  [[nodiscard]] std::size_t released() const { return head_.load(std::memory_order_acquire); }

  // Reader: the oldest slot, or nullptr if the ring is empty. release() returns the slot.
  T* front() {
    const auto head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return nullptr;
    return &(*slots_)[head % capacity];
  }
  void release() {
    head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  [[nodiscard]] bool empty() const {
    return head_.load(std::memory_order_acquire) == tail_.load(std::memory_order_acquire);
  }

 private:
  std::unique_ptr<std::array<T, capacity>> slots_ = std::make_unique<std::array<T, capacity>>();
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace routevpn::datapath
