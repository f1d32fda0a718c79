// The replay window of RFC 6347 section 4.1.2.6. It is a ring of words (RFC 6479), so no bits are
// shifted when it moves. check() precedes authentication, update() follows it.
//
// Any thread may call check() and highest() at any time. Calls of update() exclude each other.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "routevpn/base/drop.hpp"
#include "routevpn/base/relaxed.hpp"

namespace routevpn::record {

class ReplayWindow {
 public:
  // OpenSSL's window of 64 is too small for the reordering by batches and multipath underlays.
  static constexpr std::uint64_t window = 8192;

  // record_replayed, record_too_old or none. `sequence` has 48 bits; the first may have any value.
  // If h is the highest so far, h - window and below are too old.
  [[nodiscard]] std::optional<Drop> check(std::uint64_t sequence) const;
  // For an authenticated record that check() did not refuse. True when its sequence number is the
  // highest so far.
  bool update(std::uint64_t sequence);
  // The highest sequence number seen; 0 before any.
  [[nodiscard]] std::uint64_t highest() const {
    const std::uint64_t next = next_;
    return next == 0 ? 0 : next - 1;
  }

  // For another process, see base/fields.hpp.
  template <typename Io>
  friend void fields(Io& io, ReplayWindow& replay) {
    io(replay.seen_, replay.next_);
  }

 private:
  // A window that begins inside a word spans one word more than window / word_bits. The next power
  // of two has room for it, and selects a word without a division.
  static constexpr std::uint64_t word_bits = 64;
  static constexpr std::uint64_t words = window / word_bits * 2;
  static_assert((words & (words - 1)) == 0 && words > window / word_bits);

  std::array<Relaxed<std::uint64_t>, words> seen_{};
  Relaxed<std::uint64_t> next_;  // one above the highest seen; 0 before any
};

}  // namespace routevpn::record
