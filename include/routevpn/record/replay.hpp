// The replay window of RFC 6347 section 4.1.2.6, as a ring of words after RFC 6479, so that sliding
// costs no shifting. Checked before a record is authenticated, updated after.
#pragma once

#include <array>
#include <cstdint>

namespace routevpn::record {

class ReplayWindow {
 public:
  // Batches and multipath underlays reorder far; OpenSSL's own 64 would drop what is only late.
  static constexpr std::uint64_t window = 8192;

  enum class Verdict : std::uint8_t { fresh, replayed, too_old };

  // Sequence numbers are those of a record, 48 bits; the first may be any. With h the highest so
  // far, h - window and below are too old.
  [[nodiscard]] Verdict check(std::uint64_t sequence) const;
  // Only after authentication, and only what check() called fresh. True when it is newer than all
  // before it.
  bool update(std::uint64_t sequence);
  // The highest sequence number seen; 0 before any.
  [[nodiscard]] std::uint64_t highest() const { return next_ == 0 ? 0 : next_ - 1; }

 private:
  // The window may begin in the middle of a word, so it touches one word more than it fills. The
  // next power of two leaves room for that, and finds a word without a division.
  static constexpr std::uint64_t word_bits = 64;
  static constexpr std::uint64_t words = window / word_bits * 2;
  static_assert((words & (words - 1)) == 0 && words > window / word_bits);

  std::array<std::uint64_t, words> seen_{};
  std::uint64_t next_ = 0;  // one above the highest seen; 0 before any
};

}  // namespace routevpn::record
