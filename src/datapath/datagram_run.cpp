#include "routevpn/datapath/datagram_run.hpp"

namespace routevpn::datapath {

void append_runs(const inside::OutboundBatch& batch, std::size_t sealed, const Way& way,
                 std::vector<DatagramRun>& runs) {
  const std::size_t first = runs.size();
  const std::size_t overhead = batch.headroom() + batch.tailroom();
  for (const auto& packet : batch.packets().first(sealed)) {
    const std::size_t bytes = packet.length + overhead;
    DatagramRun* const last = runs.size() == first ? nullptr : &runs.back();
    // A shorter datagram ends its run.
    const bool open = last != nullptr && last->bytes % last->segment_bytes == 0;
    if (open && bytes <= last->segment_bytes && packet.outer_class == last->traffic_class) {
      last->bytes += bytes;
    } else {
      runs.push_back({packet.data - batch.headroom(), bytes, bytes, overhead, true, way.to,
                      packet.outer_class, way.flow});
    }
  }
}

}  // namespace routevpn::datapath
