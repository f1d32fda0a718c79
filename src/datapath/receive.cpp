// The path of a received datagram:
//
// clang-format off
//   1. LaneLoop receives up to 64 KiB per call: datagrams of one size from one peer. It receives
//      again while datagrams wait and its buffer has room.
//   2. split_datagram() finds the records of each datagram. Records of the handshake go to the
//      control thread's mailbox (RFC 6347 section 4.1: epoch 0, and content types 20 and 22).
//   3. open_record() checks the source, then the replay window, authenticates and decrypts in
//      place. A record from an address other than the endpoint's may begin a move: roam.cpp.
//   4. deliver() answers control messages (control.cpp), reassembles fragments, applies the outer
//      ECN (RFC 6040) and collects the IP packets. The coalescer joins them to super-packets.
//   5. LaneLoop writes each super-packet to the interface.
// clang-format on
//
// Invalid input is dropped and counted under its reason.

#include <algorithm>
#include <cstring>

#include "routevpn/datapath/accepted_packet.hpp"
#include "routevpn/datapath/lane.hpp"
#include "routevpn/dtls/envelope.hpp"

namespace routevpn::datapath {
namespace {

// Refused by the cipher, from a source that is no endpoint. With 64 slots at most 6,400 per second:
// less than 1 % of a processor. A peer that has moved is heard at once, and while strangers flood
// from everywhere with one of its first records. The 2^28 forgeries of RFC 9325 take 11 hours.
constexpr Rate stray_rate{std::chrono::milliseconds(10), 32};

}  // namespace

void Lane::from_outside(const outside::Received& received, Time now, UdpFlow flow) {
  if (payloads_.empty()) reassembler_.release();  // the packets of join() are written
  // UDP_GRO joins only datagrams of one traffic class (since Linux 6.9, 6.8.10, 6.6.31 and 6.1.91;
  // earlier kernels report the class of the first datagram for all).
  outer_ecn_ = inside::ecn_of(received.ecn);
  const std::size_t step = std::max<std::size_t>(received.segment_bytes, 1);
  const bool sparse = is_sparse(received.from.remote, flow, now);
  const bool from_endpoint =
      is_bulk_endpoint(received.from.remote) || is_sparse_remote(received.from.remote);
  const Arrival arrival{received.from, now, from_endpoint,
                        from_endpoint || policy_.peers.empty() ||
                            policy_.peers.contains(received.from.remote.address),
                        sparse};
  std::size_t at = 0;
  do {  // once for an empty datagram
    const std::size_t bytes = std::min(step, received.data.size() - at);
    split_datagram(received.data.subspan(at, bytes), arrival);
    at += step;
  } while (at < received.data.size());
}

std::span<const inside::SuperPacket> Lane::join() {
  const auto packets = coalescer_.join(payloads_);
  payloads_.clear();
  return packets;
}

void Lane::split_datagram(Bytes datagram, const Arrival& arrival) {
  handshake_ = nullptr;
  bool usable = true;
  // An envelope is a whole datagram. The control thread opens it, because only there are the PSKs.
  if (dtls::is_envelope(datagram)) {
    forward_handshake(datagram, arrival);
    if (handshake_ != nullptr) mailbox_.handshakes.publish();
    return;
  }
  do {
    const auto split = record::split_first(datagram);
    if (split.fault) {
      drop(*split.fault);
      break;
    }
    const auto type = split.header.type;
    const bool data = type == record::ContentType::application_data;
    if (split.header.epoch == 0 && data) {
      drop(Drop::record_epoch);
    } else if (split.header.epoch == 0 || (!data && type != record::ContentType::alert)) {
      forward_handshake(split.record, arrival);
    } else {
      usable = open_record(split, arrival);
    }
    datagram = datagram.subspan(split.record.size());
  } while (usable && !datagram.empty());
  if (handshake_ != nullptr) mailbox_.handshakes.publish();
}

void Lane::forward_handshake(Bytes record, const Arrival& arrival) {
  if (!arrival.allowed) return drop(Drop::handshake_not_allowed);
  if (handshake_ == nullptr) {
    handshake_ = mailbox_.handshakes.reserve(arrival.from, is_peer(arrival.from.remote.address));
    if (handshake_ == nullptr) return drop(Drop::handshake_queue_full);
  }
  if (record.size() > handshake_->bytes.size() - handshake_->length) {
    return drop(Drop::record_length);
  }
  std::memcpy(handshake_->bytes.data() + handshake_->length, record.data(), record.size());
  handshake_->length += static_cast<std::uint32_t>(record.size());
}

bool Lane::is_peer(const IpAddress& address) const {
  return address == expected_peer_ || address == last_peer_ ||
         std::any_of(associations_.begin(), associations_.end(), [&address](const auto& each) {
           return each->endpoint.remote.address == address;
         });
}

// False: the rest of the datagram is dropped with this record. A datagram has one sender, so after
// a forgery its other records are forged, too, and would cost as much.
bool Lane::open_record(const record::Split& split, const Arrival& arrival) {
  const auto refuse = [this](Drop reason) {
    drop(reason);
    return false;
  };
  if (!arrival.allowed) return refuse(Drop::record_not_allowed);
  if (associations_.empty()) {
    record_without_keys(split, arrival);
    return true;
  }
  RateLimit* const forgeries =
      arrival.from_endpoint ? nullptr : &sources_.of(arrival.from.remote.address).forgeries;
  if (forgeries != nullptr && !forgeries->allows(arrival.now, stray_rate)) {
    return refuse(Drop::record_stray_limited);
  }
  record::Opened opened;
  Association* const association = open_with_any(split, arrival, opened);
  if (association == nullptr) {
    if (forgeries != nullptr && opened.cipher_refused) forgeries->take(arrival.now, stray_rate);
    drop(*opened.fault);
    return !opened.cipher_refused && opened.fault != Drop::record_forged;
  }
  if (!arrival.sparse) counters_.last_heard.store(arrival.now, std::memory_order_relaxed);
  check_limits(*association);
  if (split.header.type == record::ContentType::alert) {
    take_alert(*association, opened.payload, split.header.sequence, arrival.now);
  } else {
    confirm(*association);
    if (opened.newest) follow(*association, opened.payload, split.record.size(), arrival);
    if (!association->roam_announced) announce_roam(*association);
    deliver(*association, opened.payload, arrival);
  }
  return true;
}

// The sender may use an association of an earlier process of this end. The control thread can
// answer with a hint. The interval limits its work under a flood.
void Lane::record_without_keys(const record::Split& split, const Arrival& arrival) {
  constexpr Rate events{std::chrono::milliseconds(20), 1};
  // The peer repeats its close_notify, and the first one has ended the association.
  constexpr Duration repeats_take = std::chrono::seconds(1);
  const bool repeated = split.header.type == record::ContentType::alert &&
                        arrival.from.remote == ended_peer_ &&
                        arrival.now - ended_at_ < repeats_take;
  if (repeated) return;
  drop(Drop::record_no_keys);
  const bool data = split.header.type == record::ContentType::application_data;
  if (!data || split.record.size() < least_data_record) return;
  if (sources_.of(arrival.from.remote.address).without_keys.admit(arrival.now, events)) {
    announce(0, RecordWithoutKeys{arrival.from});
  }
}

// A record does not name its association, so each one is tried.
Association* Lane::open_with_any(const record::Split& split, const Arrival& arrival,
                                 record::Opened& opened) {
  if (receiving_ != nullptr && open_with(*receiving_, split, arrival, opened)) return receiving_;
  for (const auto& association : associations_) {
    if (association.get() == receiving_) continue;
    if (open_with(*association, split, arrival, opened)) return receiving_ = association.get();
  }
  return nullptr;
}

bool Lane::open_with(Association& association, const record::Split& split, const Arrival& arrival,
                     record::Opened& opened) {
  const record::Opened elsewhere = opened;
  opened = association.opener.open(split.header, split.record);
  if (!opened.fault) return true;
  if (opened.cipher_refused && (association.endpoint.remote == arrival.from.remote ||
                                is_sparse_remote(arrival.from.remote))) {
    ++association.forged;
    check_limits(association);
  }
  // Report other faults rather than record_forged, which every key but the record's own finds.
  if (elsewhere.fault && elsewhere.fault != Drop::record_forged) opened.fault = elsewhere.fault;
  opened.cipher_refused = opened.cipher_refused || elsewhere.cipher_refused;
  return false;
}

void Lane::confirm(Association& association) {
  if (association.confirmed) return;
  activate(association);
  association.confirmed = announce(association.id, AssociationConfirmed{});
}

void Lane::deliver(Association& association, Bytes payload, const Arrival& arrival) {
  if (payload.empty()) return drop(Drop::record_length);
  if (!is_control(payload[0])) return deliver_packet(payload, outer_ecn_);
  if (!association.control_messages) return drop(Drop::payload_not_ip);
  if (payload[0] != fragment_kind) return control_message(association, payload, arrival);
  const auto result = reassembler_.add(association.id, payload, outer_ecn_);
  if (result.fault) drop(*result.fault);
  if (!result.packet.empty()) deliver_packet(result.packet, result.outer_ecn);
}

void Lane::deliver_packet(Bytes packet, inside::Ecn outer_ecn) {
  if (const auto fault = accept_packet(packet, outer_ecn, *inner_sources_)) return drop(*fault);
  if (payloads_.size() == payloads_.capacity()) return drop(Drop::payload_batch_full);
  payloads_.push_back(packet);
}

void Lane::count_written(const inside::SuperPacket& packet) {
  add(counters_.rx_packets, packet.packets);
  add(counters_.rx_bytes, packet.bytes);
}

}  // namespace routevpn::datapath
