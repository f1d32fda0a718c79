// What a lane needs to continue in another process.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "routevpn/datapath/association.hpp"
#include "routevpn/datapath/lane_counters.hpp"

namespace routevpn::datapath {

// See LaneCounters.
struct LaneCounts {
  std::array<std::uint64_t, 7> numbers{};
  Time last_heard{};
  Time last_asked{};
  std::array<std::uint64_t, drop_count> drops{};

  static LaneCounts of(const LaneCounters& counters);
  void restore(LaneCounters& counters) const;

  template <typename Io>
  friend void fields(Io& io, LaneCounts& counts) {
    io(counts.numbers, counts.last_heard, counts.last_asked, counts.drops);
  }
};

struct LaneState {
  std::vector<AssociationState> associations;  // newest first
  AssociationId sending = 0;                   // 0: none
  std::uint64_t payload_limit = 0;
  std::optional<outside::Endpoint> sparse;
  std::uint64_t sparse_payload_bytes = 0;
  std::uint32_t sparse_sequence = 1;  // of the next request
  std::uint16_t fragmented_number = 0;
  std::uint64_t fragmented_packets = 0;
  std::optional<IpAddress> expected_peer;
  std::optional<IpAddress> last_peer;

  template <typename Io>
  friend void fields(Io& io, LaneState& state) {
    io(state.associations, state.sending, state.payload_limit, state.sparse,
       state.sparse_payload_bytes, state.sparse_sequence, state.fragmented_number,
       state.fragmented_packets, state.expected_peer, state.last_peer);
  }
};

}  // namespace routevpn::datapath
