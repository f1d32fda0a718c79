#include "routevpn/record/replay.hpp"

#include <algorithm>

namespace routevpn::record {

std::optional<Drop> ReplayWindow::check(std::uint64_t sequence) const {
  const std::uint64_t next = next_.get_published();
  if (sequence >= next) return std::nullopt;
  if (next - sequence > window) return Drop::record_too_old;
  const std::uint64_t word = seen_[sequence / word_bits % words];
  if ((word >> sequence % word_bits & 1) != 0) return Drop::record_replayed;
  return std::nullopt;
}

bool ReplayWindow::update(std::uint64_t sequence) {
  const bool newest = sequence >= next_;
  if (newest) {
    const std::uint64_t from = highest() / word_bits;
    const std::uint64_t stale = std::min(sequence / word_bits - from, words);
    for (std::uint64_t i = 1; i <= stale; ++i) seen_[(from + i) % words] = 0;
    next_.publish(sequence + 1);
  }
  auto& word = seen_[sequence / word_bits % words];
  word = word | std::uint64_t{1} << sequence % word_bits;
  return newest;
}

}  // namespace routevpn::record
