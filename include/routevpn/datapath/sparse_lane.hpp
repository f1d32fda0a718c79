// The path of the packets of sparse flows through the second thread of a lane, without system
// calls. It carries data over the association that the lane uses, by the sparse flow's socket and
// the interface's second queue. Everything else stays with the lane: control messages, handshakes,
// an address that is not known, a packet that must be fragmented.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "routevpn/datapath/association.hpp"
#include "routevpn/datapath/datagram_run.hpp"
#include "routevpn/datapath/lane_counters.hpp"
#include "routevpn/datapath/lane_policy.hpp"
#include "routevpn/inside/coalesce.hpp"
#include "routevpn/inside/outbound_batch.hpp"
#include "routevpn/inside/virtio_net.hpp"

namespace routevpn::datapath {

// What the lane lets its second thread do.
struct SparseView {
  // Confirmed associations, newest first. `sending` seals. Null: the second thread carries nothing.
  std::array<std::shared_ptr<Association>, 4> opening;
  std::shared_ptr<Association> sending;
  SocketAddress endpoint;  // of the bulk flow
  outside::Endpoint to;    // of the sparse flow
  outside::Endpoint from;  // what the peer's datagrams of the sparse flow have
  bool local_matters = false;
  std::size_t payload_limit = 0;  // of a record
  Time request_at{};              // the lane wants to send a request when the flow is in use then
  std::shared_ptr<const PrefixSet> sources;  // LanePolicy::sources

  [[nodiscard]] bool is_open() const { return sending != nullptr; }
  bool operator==(const SparseView&) const = default;
};

// Only one thread uses it at a time.
class SparseLane {
 public:
  SparseLane(LaneCounters& counters, bool udp_offload, const OuterClass& outer_class);

  void set(const SparseView& view) { view_ = view; }
  [[nodiscard]] const SparseView& view() const { return view_; }

  // Inside -> outside. False: the packet is left to the lane, unchanged. When must_flush() is true,
  // seal and send before the next packet.
  bool from_inside(const inside::VirtioNetHeader& header, Bytes packet);
  [[nodiscard]] bool must_flush() const { return is_full(outbound_); }
  std::span<const DatagramRun> seal();  // valid until sent()
  void sent();
  void count_sent(const DatagramRun& run, std::size_t bytes);

  // Outside -> inside. One datagram of `received`, whose bytes stay unchanged. False: it is left to
  // the lane. Between two calls of join() at most ReceivedBatch::most_received bytes are handed in.
  bool from_outside(ConstBytes datagram, const outside::Received& received);
  // Valid until from_outside().
  std::span<const inside::SuperPacket> join();
  void count_written(const inside::SuperPacket& packet);

 private:
  Association* decrypt(const record::Split& split, Bytes& payload);

  LaneCounters& counters_;
  OuterClass outer_class_;
  SparseView view_;
  inside::OutboundBatch outbound_;
  std::vector<DatagramRun> runs_;
  // Records are decrypted in a copy, because the lane needs those that are left to it as they came.
  std::unique_ptr<std::uint8_t[]> copies_;
  std::size_t copied_ = 0;
  std::vector<Bytes> payloads_;
  inside::Coalescer coalescer_;
};

}  // namespace routevpn::datapath
