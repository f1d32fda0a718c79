// What a lane sends by one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "routevpn/inside/outbound_batch.hpp"
#include "routevpn/inside/segment.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

// The UDP flows of a lane: sparse_flow.hpp.
enum class UdpFlow : std::uint8_t { bulk, sparse };

struct Way {
  outside::Endpoint to;
  UdpFlow flow = UdpFlow::bulk;
};

// Adjacent sealed datagrams of one size and traffic class. The last may be shorter.
struct DatagramRun {
  const std::uint8_t* data = nullptr;
  std::size_t bytes = 0;
  std::size_t segment_bytes = 0;
  std::size_t overhead_bytes = 0;  // of each datagram: record header, nonce and tag
  bool counted = true;             // false: no inside packets, or a copy of counted ones
  outside::Endpoint to;
  std::uint8_t traffic_class = 0;
  UdpFlow flow = UdpFlow::bulk;

  [[nodiscard]] std::size_t datagrams(std::size_t of_bytes) const {
    return (of_bytes + segment_bytes - 1) / segment_bytes;
  }
};

// Room for two of the largest super-packets, so one more fits while is_full() is false.
inline constexpr std::size_t outbound_bytes = 2 * inside::worst_case_bytes;
inline constexpr std::size_t outbound_packets = 2 * inside::worst_case_segments;
inline bool is_full(const inside::OutboundBatch& batch) {
  return batch.free_bytes() < inside::worst_case_bytes ||
         batch.free_packets() < inside::worst_case_segments;
}

// Appends the runs of the first `sealed` packets of a batch.
void append_runs(const inside::OutboundBatch& batch, std::size_t sealed, const Way& way,
                 std::vector<DatagramRun>& runs);

}  // namespace routevpn::datapath
