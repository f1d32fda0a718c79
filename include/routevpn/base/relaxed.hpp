// A number that several threads read and write. It orders nothing else, except with publish().
#pragma once

#include <atomic>

namespace routevpn {

// A copy is a new number with the same value.
template <typename T>
class Relaxed {
 public:
  constexpr Relaxed(T value = {}) : value_(value) {}  // NOLINT(google-explicit-constructor)
  Relaxed(const Relaxed& other) : value_(other.get()) {}
  Relaxed& operator=(const Relaxed& other) {
    value_.store(other.get(), std::memory_order_relaxed);
    return *this;
  }
  ~Relaxed() = default;

  [[nodiscard]] T get() const { return value_.load(std::memory_order_relaxed); }
  // A thread that gets this value with get_published() also sees what was written before.
  void publish(T value) { value_.store(value, std::memory_order_release); }
  [[nodiscard]] T get_published() const { return value_.load(std::memory_order_acquire); }
  operator T() const { return get(); }  // NOLINT(google-explicit-constructor)
  // Replaces `expected`, or reads the value that is there instead.
  bool replace(T& expected, T wanted) {
    return value_.compare_exchange_weak(expected, wanted, std::memory_order_relaxed);
  }

  // For another process, see fields.hpp.
  template <typename Io>
  friend void fields(Io& io, Relaxed& number) {
    T value = number.get();
    io(value);
    number = value;
  }

 private:
  std::atomic<T> value_;
};

}  // namespace routevpn
