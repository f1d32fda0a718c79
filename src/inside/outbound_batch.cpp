#include "routevpn/inside/outbound_batch.hpp"

namespace routevpn::inside {

OutboundBatch::OutboundBatch(std::size_t capacity_bytes, std::size_t capacity_packets)
    // Not zeroed, so pages that no packet reaches stay without memory.
    : memory_(std::make_unique_for_overwrite<std::uint8_t[]>(capacity_bytes)),
      capacity_bytes_(capacity_bytes),
      capacity_packets_(capacity_packets) {
  packets_.reserve(capacity_packets);
}

void OutboundBatch::clear(std::size_t headroom, std::size_t tailroom) {
  packets_.clear();
  used_bytes_ = 0;
  headroom_ = headroom;
  tailroom_ = tailroom;
  outer_class_ = 0;
}

void OutboundBatch::truncate(std::size_t packets) {
  if (packets >= packets_.size()) return;
  used_bytes_ = static_cast<std::size_t>(packets_[packets].data - memory_.get()) - headroom_;
  packets_.resize(packets);
}

}  // namespace routevpn::inside
