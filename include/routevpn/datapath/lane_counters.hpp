// What a lane counts. Written by the lane, read by any thread. Bytes and packets are inside
// packets.
#pragma once

#include <atomic>
#include <cstdint>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/drop.hpp"

namespace routevpn::datapath {

struct LaneCounters {
  std::atomic<std::uint64_t> rx_bytes{0};
  std::atomic<std::uint64_t> rx_packets{0};
  std::atomic<std::uint64_t> tx_bytes{0};
  std::atomic<std::uint64_t> tx_packets{0};
  std::atomic<std::uint64_t> tx_fragmented{0};  // packets sent in fragments
  std::atomic<std::uint64_t> tx_large{0};       // datagrams that may exceed some path's MTU
  // When the last authentic record came; Time{} before the first.
  std::atomic<Time> last_heard{Time{}};
  std::atomic<bool> udp_segment{true};  // the kernel and the device take UDP_SEGMENT
  DropCounters drops;
};

}  // namespace routevpn::datapath
