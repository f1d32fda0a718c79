// The counters of a lane. Its threads write them, any thread reads them.
#pragma once

#include <atomic>
#include <cstdint>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/base/mtu.hpp"

namespace routevpn::datapath {

inline void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
  counter.fetch_add(n, std::memory_order_relaxed);
}

struct LaneCounters {
  // Packets and bytes of inside packets.
  std::atomic<std::uint64_t> rx_bytes{0};
  std::atomic<std::uint64_t> rx_packets{0};
  std::atomic<std::uint64_t> tx_bytes{0};
  std::atomic<std::uint64_t> tx_packets{0};
  std::atomic<std::uint64_t> tx_fragmented{0};  // packets that were fragmented
  std::atomic<std::uint64_t> tx_large{0};       // datagrams that may exceed a path MTU
  std::atomic<std::uint64_t> tx_sparse{0};      // packets that took the sparse flow
  // When the last authentic record of the bulk flow arrived, or a reply to a request sent there.
  // The sparse flow can work while the bulk flow does not. Time{} before the first.
  std::atomic<Time> last_heard{Time{}};
  std::atomic<Time> last_asked{Time{}};  // when the peer's last echo request arrived
  std::atomic<bool> udp_segment{true};   // the kernel and the device accept UDP_SEGMENT
  std::atomic<int> send_error{0};        // errno of the last send that failed; 0: none has
  DropCounters drops;
};

// `segment_bytes`: the UDP payload of the largest of so many datagrams.
inline void count_large(LaneCounters& counters, std::size_t segment_bytes,
                        std::uint64_t datagrams) {
  // At ipv4_minimum_mtu. Larger datagrams may exceed a path MTU.
  constexpr std::size_t large_bytes = ipv4_minimum_mtu - ipv4_header_bytes - udp_header_bytes;
  if (segment_bytes > large_bytes) add(counters.tx_large, datagrams);
}

}  // namespace routevpn::datapath
