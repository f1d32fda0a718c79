// What an intruder in a worker would send to the monitor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/channel/channel.hpp"

namespace routevpn::test {

// The worker's end of the pair. It counts the messages that the monitor must refuse and those that
// the monitor may accept.
class HostilePair {
 public:
  static constexpr std::size_t longest = 2200;  // of a message, bytes; the monitor takes 2048

  explicit HostilePair(int fd) : fd_(fd) {}

  // Valid messages in the state before `ready`, which the monitor refuses without an answer.
  void send_before_ready();
  // In the state `running`: other kinds, other sizes, fields out of range, with descriptors.
  void send_invalid();
  // Any kind, size and content, but none that ends the link, or changes its carrier or MTU.
  void send_random(std::uint64_t seed, std::uint64_t count);
  // Receives the answers to what has been sent. False: one does not come within 10 s.
  bool take_answers();

  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] std::uint64_t undecided() const { return undecided_; }
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  void send(ConstBytes bytes, std::span<const int> descriptors = {});
  template <typename T>
  void send_message(const T& message, std::span<const int> descriptors = {});
  void send_other_kinds();
  void send_with_descriptors();
  template <typename T>
  void send_sizes(const T& valid);
  void take_waiting();
  void wait(short events) const;

  int fd_;
  std::uint64_t refused_ = 0;
  std::uint64_t undecided_ = 0;
  std::uint64_t answers_owed_ = 0;
  bool closed_ = false;
};

}  // namespace routevpn::test
