#include "routevpn/datapath/sparse_lane.hpp"

#include <algorithm>

#include "routevpn/base/mtu.hpp"
#include "routevpn/datapath/accepted_packet.hpp"
#include "routevpn/datapath/mtu.hpp"
#include "routevpn/datapath/received_batch.hpp"
#include "routevpn/dtls/envelope.hpp"
#include "routevpn/inside/ip_packet.hpp"
#include "routevpn/inside/segment.hpp"

namespace routevpn::datapath {
namespace {

constexpr std::size_t copied_bytes = ReceivedBatch::most_received;
constexpr std::size_t copied_payloads =
    copied_bytes / (record::header_bytes + ipv4_header_bytes + record::tailroom) + 1;

}  // namespace

SparseLane::SparseLane(LaneCounters& counters, bool udp_offload, const OuterClass& outer_class)
    : counters_(counters),
      outer_class_(outer_class),
      outbound_(outbound_bytes, outbound_packets),
      copies_(std::make_unique_for_overwrite<std::uint8_t[]>(copied_bytes)),
      coalescer_(copied_payloads, udp_offload) {
  runs_.reserve(outbound_packets);
  payloads_.reserve(copied_payloads);
}

bool SparseLane::from_inside(const inside::VirtioNetHeader& header, Bytes packet) {
  if (inside::is_udp_to(packet, view_.endpoint)) {
    counters_.drops.add(Drop::inside_own_datagram);
    return true;
  }
  // Near the record limit the lane seals alone, so that the two do not pass the limit together.
  if (view_.sending->data_left() <= 3 * outbound_packets) return false;
  const auto& sealer = view_.sending->sealer;
  if (outbound_.empty()) outbound_.clear(record::headroom(sealer.suite()), record::tailroom);
  outbound_.set_outer_class(outer_class_.of(inside::traffic_class(packet), true));
  const auto fault = inside::segment(header, packet, view_.payload_limit, outbound_);
  if (fault == Drop::inside_too_big) return false;  // the lane may fragment it
  if (fault) counters_.drops.add(*fault);
  return true;
}

std::span<const DatagramRun> SparseLane::seal() {
  if (outbound_.empty()) return {};
  const std::size_t sealed = view_.sending->sealer.seal_beside(outbound_.packets());
  if (sealed < outbound_.packets().size()) {
    counters_.drops.add(Drop::record_limit, outbound_.packets().size() - sealed);
  }
  append_runs(outbound_, sealed, {view_.to, UdpFlow::sparse}, runs_);
  return runs_;
}

void SparseLane::sent() {
  runs_.clear();
  outbound_.truncate(0);
}

void SparseLane::count_sent(const DatagramRun& run, std::size_t bytes) {
  if (bytes == 0) return;
  const std::size_t datagrams = run.datagrams(bytes);
  add(counters_.tx_packets, datagrams);
  add(counters_.tx_sparse, datagrams);
  add(counters_.tx_bytes, bytes - datagrams * run.overhead_bytes);
  count_large(counters_, run.segment_bytes, datagrams);
}

bool SparseLane::from_outside(ConstBytes datagram, const outside::Received& received) {
  if (!view_.is_open() || received.from.remote != view_.from.remote) return false;
  if (view_.local_matters && received.from.local != view_.from.local) return false;
  if (datagram.size() > copied_bytes - copied_) return false;
  const Bytes copy(copies_.get() + copied_, datagram.size());
  std::ranges::copy(datagram, copy.begin());
  if (dtls::is_envelope(copy)) return false;
  const auto split = record::split_first(copy);
  if (split.fault || split.header.epoch != 1 || split.record.size() != copy.size() ||
      split.header.type != record::ContentType::application_data) {
    return false;
  }
  Bytes payload;
  Association* const association = decrypt(split, payload);
  if (association == nullptr || payload.empty() || is_control(payload[0])) return false;
  if (!association->opener.take(split.header)) {
    counters_.drops.add(Drop::record_replayed);
    return true;
  }
  if (const auto fault = accept_packet(payload, inside::ecn_of(received.ecn), *view_.sources)) {
    counters_.drops.add(*fault);
    return true;
  }
  copied_ += datagram.size();
  payloads_.push_back(payload);
  return true;
}

Association* SparseLane::decrypt(const record::Split& split, Bytes& payload) {
  for (const auto& association : view_.opening) {
    if (association == nullptr) break;
    const auto opened = association->opener.decrypt_beside(split.header, split.record);
    if (opened.fault) continue;
    payload = opened.payload;
    return association.get();
  }
  return nullptr;
}

std::span<const inside::SuperPacket> SparseLane::join() {
  const auto packets = coalescer_.join(payloads_);
  payloads_.clear();
  copied_ = 0;
  return packets;
}

void SparseLane::count_written(const inside::SuperPacket& packet) {
  add(counters_.rx_packets, packet.packets);
  add(counters_.rx_bytes, packet.bytes);
}

}  // namespace routevpn::datapath
