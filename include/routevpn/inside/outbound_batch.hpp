// Packets on their way outside, one behind the other, each with room for its record:
//
//     | headroom | packet | tailroom | headroom | packet | tailroom | ...
//
// There are no gaps, so that packets of equal length, sealed in place, are one UDP_SEGMENT send.
// All memory is allocated by the constructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "routevpn/base/outbound_packet.hpp"

namespace routevpn::inside {

class OutboundBatch {
 public:
  OutboundBatch(std::size_t capacity_bytes, std::size_t capacity_packets);

  // Empties the batch and sets the room around the packets that follow.
  void clear(std::size_t headroom, std::size_t tailroom);
  // The outer traffic class of the packets appended from now on; 0 after clear().
  void set_outer_class(std::uint8_t outer_class) { outer_class_ = outer_class; }
  // Memory for one packet of this length; nullptr when the batch is full.
  std::uint8_t* append(std::size_t length) {
    const std::size_t needed = headroom_ + length + tailroom_;
    if (needed > capacity_bytes_ - used_bytes_ || packets_.size() == capacity_packets_) {
      return nullptr;
    }
    std::uint8_t* const data = memory_.get() + used_bytes_ + headroom_;
    used_bytes_ += needed;
    packets_.push_back({data, static_cast<std::uint32_t>(length), outer_class_});
    return data;
  }
  // Removes the packets appended since the batch held `packets` packets.
  void truncate(std::size_t packets);

  [[nodiscard]] std::span<const OutboundPacket> packets() const { return packets_; }
  [[nodiscard]] std::size_t headroom() const { return headroom_; }
  [[nodiscard]] std::size_t tailroom() const { return tailroom_; }
  [[nodiscard]] std::size_t free_bytes() const { return capacity_bytes_ - used_bytes_; }
  [[nodiscard]] std::size_t free_packets() const { return capacity_packets_ - packets_.size(); }
  [[nodiscard]] bool empty() const { return packets_.empty(); }

 private:
  std::unique_ptr<std::uint8_t[]> memory_;
  std::size_t capacity_bytes_;
  std::size_t capacity_packets_;
  std::size_t used_bytes_ = 0;
  std::size_t headroom_ = 0;
  std::size_t tailroom_ = 0;
  std::uint8_t outer_class_ = 0;
  std::vector<OutboundPacket> packets_;
};

}  // namespace routevpn::inside
