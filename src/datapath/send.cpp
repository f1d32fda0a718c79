// The path of a packet to the peer:
//
//   1. LaneLoop reads a super-packet from the interface.
//   2. from_inside() segments it to the MTU, each packet with room for its record, and notes the
//      traffic class of its outer header. Packets that the path does not carry are fragmented.
//      Packets of sparse inner flows have a batch of their own: sparse.cpp.
//   3. seal() seals both batches in place and finds the runs of equal size and class.
//   4. LaneLoop sends each run with one UDP_SEGMENT call.
//
// Control messages and alerts are sealed one by one and never wait behind a batch.

#include <algorithm>
#include <limits>
#include <utility>

#include "routevpn/base/mtu.hpp"
#include "routevpn/datapath/lane.hpp"
#include "routevpn/inside/ip_packet.hpp"

namespace routevpn::datapath {
namespace {

// Copies the runs from index `from` on. What `credit` has left stays for smaller datagrams.
void copy_to(const outside::Endpoint& to, std::uint64_t& credit, std::vector<DatagramRun>& runs,
             std::size_t from) {
  const std::size_t end = runs.size();
  for (std::size_t i = from; i < end && runs.size() < runs.capacity(); ++i) {
    DatagramRun copy = runs[i];
    if (copy.bytes > credit) copy.bytes = credit / copy.segment_bytes * copy.segment_bytes;
    if (copy.bytes == 0) continue;
    credit -= copy.bytes;
    copy.to = to;
    copy.counted = false;
    copy.flow = UdpFlow::bulk;
    runs.push_back(copy);
  }
}

}  // namespace

void Lane::from_inside(const inside::VirtioNetHeader& header, Bytes packet, std::size_t mtu,
                       Time now, bool keep_sparse) {
  if (sending_ == nullptr) return drop(Drop::inside_no_association);
  // A route to the peer leads into the link: the datagram would return here, larger each time.
  if (inside::is_udp_to(packet, sending_->endpoint.remote)) return drop(Drop::inside_own_datagram);
  inside::OutboundBatch& batch = batch_for(packet, mtu, now, keep_sparse);
  if (batch.empty()) batch.clear(record::headroom(sending_->sealer.suite()), record::tailroom);
  batch.set_outer_class(
      policy_.outer_class.of(inside::traffic_class(packet), sending_->control_messages));
  const bool may_fragment = sending_->control_messages;
  const std::size_t most = may_fragment ? std::max<std::size_t>(mtu, maximum_mtu) : mtu;
  const std::size_t before = batch.packets().size();
  if (const auto fault = inside::segment(header, packet, most, batch)) return drop(*fault);
  // No segment of a super-packet is larger than the first.
  if (!may_fragment || batch.packets()[before].length <= payload_limit_) return;
  const std::size_t lost = fragmenter_.split(batch, before, payload_limit_);
  if (lost > 0) drop(Drop::inside_too_big, lost);
  counters_.tx_fragmented.store(fragmenter_.packets_fragmented(), std::memory_order_relaxed);
}

bool Lane::must_flush() const {
  return is_full(outbound_) || is_full(sparse_outbound_);
}

std::span<const DatagramRun> Lane::seal(Time now) {
  runs_.clear();
  if (sending_ == nullptr) return {};
  if (!sparse_outbound_.empty()) {
    seal_batch(sparse_outbound_, {sparse_.remote().value_or(sending_->endpoint), UdpFlow::sparse},
               now);
  }
  if (!outbound_.empty()) seal_batch(outbound_, {sending_->endpoint}, now);
  if (bulk_shown_at_) show_bulk(now);
  // It is sent after the batches, so it has the higher sequence number.
  if (std::exchange(sparse_wanted_, false) && sparse_.request_due(now)) {
    const std::size_t padded = std::max(payload_limit_, control_message_bytes);
    request_sparse(sparse_.padding_due(now) ? padded : control_message_bytes, now);
  }
  return runs_;
}

void Lane::seal_batch(inside::OutboundBatch& batch, const Way& way, Time now) {
  const auto packets = batch.packets();
  const auto allowed = std::min<std::uint64_t>(packets.size(), sending_->data_left());
  const std::size_t sealed = sending_->sealer.seal(packets.first(allowed));
  if (sealed < packets.size()) limit_reached(*sending_, packets.size() - sealed);
  check_limits(*sending_);

  const std::size_t first = runs_.size();
  append_runs(batch, sealed, way, runs_);
  if (way.flow == UdpFlow::bulk && sparse_.takes_copies(now)) {
    // That address is proven.
    std::uint64_t credit = std::numeric_limits<std::uint64_t>::max();
    copy_to(*sparse_.remote(), credit, runs_, first);
  } else {
    copy_to_candidate(runs_, first);
  }
}

void Lane::sent() {
  runs_.clear();
  outbound_.truncate(0);
  sparse_outbound_.truncate(0);
}

void Lane::copy_to_candidate(std::vector<DatagramRun>& runs, std::size_t from) {
  Candidate* const candidate = sending_->candidates.current();
  if (candidate != nullptr) copy_to(candidate->endpoint, candidate->credit, runs, from);
}

void Lane::limit_reached(Association& association, std::uint64_t packets) {
  drop(Drop::record_limit, packets);
  if (!association.limit_announced) {
    association.limit_announced = announce(association.id, LimitReached{});
  }
}

void Lane::queue_control(const ControlMessage& message, std::size_t padded_bytes) {
  if (sending_ == nullptr || !sending_->control_messages) return;
  if (!append_control(message, padded_bytes)) return drop(Drop::outside_busy);
  // Control messages do not wait for a batch that waits for the socket.
  if (message.kind == ControlMessage::Kind::echo_request && !outbound_.empty()) {
    overtaking_request_ = time_of(message);
  }
  if (seal_control(*sending_, record::ContentType::application_data, {sending_->endpoint})) {
    copy_to_candidate(control_runs_, control_runs_.size() - 1);
  }
}

bool Lane::append_control(const ControlMessage& message, std::size_t padded_bytes) {
  const std::size_t bytes = std::max(control_message_bytes, padded_bytes);
  std::uint8_t* const at = control_.append(bytes);
  if (at == nullptr) return false;
  encode(message, at);
  std::fill(at + control_message_bytes, at + bytes, std::uint8_t{0});
  return true;
}

void Lane::queue_alert(const SendAlert& alert) {
  Association* association = sending_;
  for (const auto& each : associations_) {
    if (each->id == alert.id) association = each.get();
  }
  std::uint8_t* const at = association == nullptr ? nullptr : control_.append(2);
  if (at == nullptr) return;
  at[0] = alert.level;
  at[1] = alert.description;
  const bool sealed =
      seal_control(*association, record::ContentType::alert, {association->endpoint});
  if (sealed && association == sending_) copy_to_candidate(control_runs_, control_runs_.size() - 1);
}

// Seals the last packet of control_. False: the association is at its limit.
bool Lane::seal_control(Association& association, record::ContentType type, const Way& way) {
  const auto packet = control_.packets().last(1);
  const bool allowed = type == record::ContentType::alert || association.data_left() > 0;
  if (!allowed || association.sealer.seal(packet, type) != 1) {
    limit_reached(association, 1);
    return false;
  }
  const std::size_t headroom = record::headroom(association.sealer.suite());
  const std::size_t overhead = headroom + record::tailroom;
  const std::size_t bytes = packet[0].length + overhead;
  control_runs_.push_back({packet[0].data - headroom, bytes, bytes, overhead, false, way.to,
                           policy_.outer_class.of_control(), way.flow});
  return true;
}

void Lane::control_sent() {
  control_runs_.clear();
  control_.truncate(0);
}

void Lane::count_sent(const DatagramRun& run, std::size_t bytes) {
  if (!run.counted || bytes == 0) return;
  const std::size_t datagrams = run.datagrams(bytes);
  std::uint64_t packets = datagrams;
  std::uint64_t packet_bytes = bytes - datagrams * run.overhead_bytes;
  fragmenter_.subtract_surplus(packets, packet_bytes);
  add(counters_.tx_packets, packets);
  add(counters_.tx_bytes, packet_bytes);
  if (run.flow == UdpFlow::sparse) add(counters_.tx_sparse, packets);
  count_large(counters_, run.segment_bytes, datagrams);
}

}  // namespace routevpn::datapath
