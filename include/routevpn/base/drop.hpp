// Every reason for which something is dropped, refused or ignored, with a name and a counter.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace routevpn {

enum class Drop : std::uint8_t {
  // inside -> outside
  inside_not_ip,          // neither IPv4 nor IPv6
  inside_malformed,       // IP, TCP, UDP or virtio-net lengths that contradict each other
  inside_too_big,         // larger than the MTU and not segmentable
  inside_no_association,  // no association to seal with
  inside_own_datagram,    // one of the link's own: its peer is routed into the link
  record_limit,           // the association may seal no more records (RFC 9325 section 4.4)
  outside_busy,           // the socket's send buffer stayed full
  outside_send_failed,    // the kernel refused the datagram

  // outside -> inside: records
  record_truncated,  // shorter than its header or its length field says
  record_version,    // not DTLS 1.2 (or 1.0 in a first flight)
  record_type,       // an unknown content type
  record_epoch,      // an epoch that is not in use
  record_length,     // outside the bounds for its type and cipher suite, or empty
  record_no_keys,    // protected, but there is no association to open it with
  record_forged,     // did not authenticate under any key in use
  record_replayed,   // seen before
  record_too_old,    // left of the replay window

  // outside -> inside: payloads of authentic records
  payload_not_ip,       // neither IPv4 nor IPv6, and no control message was agreed
  payload_malformed,    // IP lengths contradict the record's
  payload_control,      // a control message we do not know
  payload_incomplete,   // a packet in pieces of which some did not come
  payload_not_ect,      // met congestion, and knows no marks (RFC 6040 section 4.2)
  inside_write_failed,  // the interface did not take the packet

  // handshakes and alerts
  handshake_malformed,     // not a handshake message that can be understood
  handshake_not_allowed,   // its source is not in --allow
  handshake_rate_limited,  // too many from this source, or in all
  handshake_half_open,     // as many half-open handshakes as we keep
  handshake_unexpected,    // for no handshake in progress
  handshake_queue_full,    // arrived faster than handshakes are worked off
  handshake_failed,        // a handshake that ended in an error
  handshake_timed_out,     // a handshake that was not completed in time
  certificate_refused,     // no certificate, another CA, wrong name, expired or revoked
  plaintext_alert,         // an unauthenticated alert, for no handshake in progress

  count_
};

inline constexpr std::size_t drop_count = static_cast<std::size_t>(Drop::count_);

// The name in `show --json`, the same as the enumerator's.
std::string_view name_of(Drop reason);

// Counters written by one thread and read by any.
class DropCounters {
 public:
  void add(Drop reason, std::uint64_t n = 1) {
    auto& counter = counters_[static_cast<std::size_t>(reason)];
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get(Drop reason) const {
    return counters_[static_cast<std::size_t>(reason)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, drop_count> counters_{};
};

}  // namespace routevpn
