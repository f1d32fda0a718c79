// Sorts inner flows into sparse and bulk, as fq_codel does (RFC 8290 section 4.1). Here a flow is
// sparse while it sends less than `sparse_rate`, with `sparse_burst` at once.
//
// A class is a way to the peer, so a change of class could reorder the flow. From sparse to bulk
// the order stays, because the peer reads the sparse way first. From bulk to sparse a flow goes
// when everything that it has sent the bulk way has left that way: the peer has answered a request
// that was sent there later. The packets of a steady flow can follow each other faster than the
// answers. It goes when everything of bulk flows has left the bulk way, so that there is no queue
// of ours, with a packet that comes later than its last by quiet_gap and by what the bulk way's
// round trip is longer.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/spin_lock.hpp"
#include "routevpn/inside/steering.hpp"

namespace routevpn::datapath {

// Any thread may call its functions.
class FlowClasses {
 public:
  // Bytes with the outer headers. A voice call has 12,000 bytes/s, and 64-byte packets at this rate
  // are 1000/s. A burst holds the 10 segments that begin a TCP connection (RFC 6928).
  static constexpr std::uint64_t sparse_rate = 125'000;  // per second
  static constexpr std::uint64_t sparse_burst = 16'384;
  static constexpr Duration quiet_gap = std::chrono::milliseconds(5);
  static constexpr std::size_t overhead_bytes = 70;  // of a packet's outer headers and record

  // Flows that share a slot are one flow.
  static constexpr unsigned slot_bits = inside::Steering::slot_bits;
  using Slot = std::uint16_t;

  struct Verdict {
    bool sparse = false;
    std::optional<Slot> slot;  // none: a fragment, or not IP
  };
  // Classes the next packet of its flow, or super-packet. `may`: the sparse way is open for it.
  // What is not sparse goes the bulk way. Fragments always do.
  Verdict classify(ConstBytes packet, bool may, Time now);
  // The verdict on the last packet of a slot.
  bool was_sparse(Slot slot) {
    const std::scoped_lock locked(lock_);
    return flows_[slot].was_sparse;
  }
  // What was sent the bulk way before `sent` has left it: a request was answered after
  // `round_trip`.
  void bulk_answered(Time sent, Duration round_trip) {
    const std::scoped_lock locked(lock_);
    drained_ = std::max(drained_, sent);
    bulk_round_trip_ = round_trip;
  }
  // For a lane that continues another's flows: they have packets in the bulk way.
  void begin_as_bulk(Time now) {
    const std::scoped_lock locked(lock_);
    for (Flow& flow : flows_) flow.last_bulk = now;
    last_of_bulk_flow_ = now;
  }
  void sparse_answered(Duration round_trip) {
    const std::scoped_lock locked(lock_);
    sparse_round_trip_ = round_trip;
  }

 private:
  struct Flow {
    Time idle_at{};    // when what it has sent is paid for at sparse_rate
    Time last_bulk{};  // its last packet of the bulk way; Time{}: none
    bool was_sparse = false;
  };

  SpinLock lock_;  // of all that follows
  std::array<Flow, std::size_t{1} << slot_bits> flows_{};
  Time last_of_bulk_flow_{};   // the last packet of a flow that is not sparse
  Time drained_{Duration{1}};  // later than Time{}
  Duration bulk_round_trip_{};
  Duration sparse_round_trip_{};
};

}  // namespace routevpn::datapath
