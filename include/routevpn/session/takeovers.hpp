// Takeovers of a link: two gateways that share a certificate take the link from each other.
//
//   1. A second initiator with the peer's certificate completes a handshake, while the association
//      in use is alive and its endpoint has another IP address.
//   2. The second initiator's first record confirms the new association. The acceptor counts a
//      takeover, and sends a fatal access_denied (RFC 5246 section 7.2.2) in the old association.
//   3. The first initiator counts a takeover. It takes its carrier off at once, because the
//      acceptor sends it no more packets, and waits for Session::retry_after_takeover.
//
// An initiator of an earlier version handles the alert as every fatal alert. A lost alert costs the
// first initiator the time of its dead detection.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "routevpn/base/clock.hpp"

namespace routevpn::session {

inline constexpr std::uint8_t alert_access_denied = 49;

class Takeovers {
 public:
  // This many within `window` show that two gateways share a certificate. A single takeover is also
  // the restart of the peer's gateway at another address.
  static constexpr std::size_t many = 3;
  static constexpr Duration window = std::chrono::minutes(1);

  // A certificate counts as shared for this time after the last of these takeovers.
  static constexpr Duration memory = std::chrono::minutes(10);

  // Whether a warning is due: at most once in each window.
  bool count(Time now);
  [[nodiscard]] bool certificate_shared(Time now) const { return now < shared_until_; }
  [[nodiscard]] std::uint64_t total() const { return count_; }

 private:
  std::array<Time, many> times_{};  // of the last takeovers, a ring
  std::uint64_t count_ = 0;
  Time next_warning_{};
  Time shared_until_{};
};

}  // namespace routevpn::session
