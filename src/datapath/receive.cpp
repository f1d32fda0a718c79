// The path of a received datagram:
//
// clang-format off
//   1. LaneLoop receives up to 64 KiB per call: datagrams of one size from one peer. It receives
//      again while datagrams wait and its buffer has room.
//   2. split_datagram() finds the records of each datagram. Records of the handshake go to the
//      control thread's mailbox (RFC 6347 section 4.1: epoch 0, and content types 20 and 22).
//   3. open_record() checks the replay window, authenticates and decrypts in place.
//   4. deliver() answers control messages, reassembles fragments, applies the outer ECN (RFC 6040)
//      and collects the IP packets. The coalescer joins them to super-packets.
//   5. LaneLoop writes each super-packet to the interface.
// clang-format on
//
// Invalid input is dropped and counted under its reason.

#include <algorithm>
#include <cstring>

#include "routevpn/datapath/lane.hpp"
#include "routevpn/dtls/envelope.hpp"
#include "routevpn/inside/ip_packet.hpp"

namespace routevpn::datapath {

void Lane::from_outside(const outside::Received& received, Time now) {
  if (payloads_.empty()) reassembler_.release();  // the packets of join() are written
  // UDP_GRO joins only datagrams of one traffic class (since Linux 6.9, 6.8.10, 6.6.31 and 6.1.91;
  // earlier kernels report the class of the first datagram for all).
  outer_ecn_ = inside::ecn_of(received.ecn);
  const std::size_t step = std::max<std::size_t>(received.segment_bytes, 1);
  std::size_t at = 0;
  do {  // once for an empty datagram
    const std::size_t bytes = std::min(step, received.data.size() - at);
    split_datagram(received.data.subspan(at, bytes), received.from, now);
    at += step;
  } while (at < received.data.size());
}

std::span<const inside::SuperPacket> Lane::join() {
  const auto packets = coalescer_.join(payloads_);
  payloads_.clear();
  return packets;
}

void Lane::split_datagram(Bytes datagram, const outside::Endpoint& from, Time now) {
  handshake_ = nullptr;
  // An envelope is a whole datagram. The control thread opens it, because only there are the PSKs.
  if (dtls::is_envelope(datagram)) {
    forward_handshake(datagram, from);
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
      forward_handshake(split.record, from);
    } else {
      open_record(split, from, now);
    }
    datagram = datagram.subspan(split.record.size());
  } while (!datagram.empty());
  if (handshake_ != nullptr) mailbox_.handshakes.publish();
}

void Lane::forward_handshake(Bytes record, const outside::Endpoint& from) {
  if (handshake_ == nullptr) {
    handshake_ = mailbox_.handshakes.reserve();
    if (handshake_ == nullptr) return drop(Drop::handshake_queue_full);
    handshake_->from = from;
    handshake_->length = 0;
  }
  if (record.size() > handshake_->bytes.size() - handshake_->length) {
    return drop(Drop::record_length);
  }
  std::memcpy(handshake_->bytes.data() + handshake_->length, record.data(), record.size());
  handshake_->length += static_cast<std::uint32_t>(record.size());
}

void Lane::open_record(const record::Split& split, const outside::Endpoint& from, Time now) {
  if (associations_.empty()) return record_without_keys(split, from, now);
  record::Opened opened;
  Association* const association = open_with_any(split, opened);
  if (association == nullptr) return drop(*opened.fault);
  on_authentic_record(*association, opened.newest, from, now);
  if (split.header.type == record::ContentType::alert) {
    if (opened.payload.size() != 2) return drop(Drop::record_length);
    const AlertReceived alert{opened.payload[0], opened.payload[1]};
    // A fatal alert ends a handshake that failed at the peer, so the association is not used.
    if (alert.level != alert_fatal) confirm(*association);
    announce(association->id, alert);  // if the queue is full, dead detection takes over
    return;
  }
  confirm(*association);
  deliver(*association, opened.payload, now);
}

// The sender may use an association of an earlier process of this end. The control thread can
// answer with a hint. The interval limits its work under a flood.
void Lane::record_without_keys(const record::Split& split, const outside::Endpoint& from,
                               Time now) {
  constexpr Duration between = std::chrono::milliseconds(20);
  drop(Drop::record_no_keys);
  const bool data = split.header.type == record::ContentType::application_data;
  if (!data || split.record.size() < least_data_record || now < next_without_keys_event_) return;
  next_without_keys_event_ = now + between;
  announce(0, RecordWithoutKeys{from});
}

// A record does not name its association, so each one is tried.
Association* Lane::open_with_any(const record::Split& split, record::Opened& opened) {
  if (receiving_ != nullptr && open_with(*receiving_, split, opened)) return receiving_;
  for (const auto& association : associations_) {
    if (association.get() == receiving_) continue;
    if (open_with(*association, split, opened)) return receiving_ = association.get();
  }
  return nullptr;
}

bool Lane::open_with(Association& association, const record::Split& split, record::Opened& opened) {
  const std::optional<Drop> fault_elsewhere = opened.fault;
  opened = association.opener.open(split.header, split.record);
  if (!opened.fault) return true;
  if (opened.fault == Drop::record_forged) check_limits(association);
  // Report other faults rather than record_forged, which every key but the record's own finds.
  if (fault_elsewhere && fault_elsewhere != Drop::record_forged) opened.fault = fault_elsewhere;
  return false;
}

void Lane::on_authentic_record(Association& association, bool newest, const outside::Endpoint& from,
                               Time now) {
  counters_.last_heard.store(now, std::memory_order_relaxed);
  if (newest && association.endpoint != from) {
    association.endpoint = from;
    association.roam_announced = false;
  }
  if (!association.roam_announced) {
    association.roam_announced = announce(association.id, PeerRoamed{association.endpoint});
  }
  check_limits(association);
}

void Lane::confirm(Association& association) {
  if (association.confirmed) return;
  activate(association);
  association.confirmed = announce(association.id, AssociationConfirmed{});
}

void Lane::deliver(Association& association, Bytes payload, Time now) {
  if (payload.empty()) return drop(Drop::record_length);
  if (!is_control(payload[0])) return deliver_packet(payload, outer_ecn_);
  if (!association.control_messages) return drop(Drop::payload_not_ip);
  if (payload[0] != fragment_kind) return control_message(association, payload, now);
  const auto result = reassembler_.add(association.id, payload, outer_ecn_);
  if (result.fault) drop(*result.fault);
  if (!result.packet.empty()) deliver_packet(result.packet, result.outer_ecn);
}

void Lane::deliver_packet(Bytes packet, inside::Ecn outer_ecn) {
  if (inside::ip_packet_verdict(packet) != inside::IpVerdict::valid) {
    return drop(Drop::payload_malformed);
  }
  if (!inside::take_outer_ecn(packet, outer_ecn)) return drop(Drop::payload_not_ect);
  if (payloads_.size() == payloads_.capacity()) return drop(Drop::payload_batch_full);
  payloads_.push_back(packet);
}

void Lane::control_message(Association& association, ConstBytes payload, Time now) {
  const auto message = decode_control(payload);
  if (!message) return drop(Drop::payload_control);
  switch (message->kind) {
    case ControlMessage::Kind::echo_request:
      if ((message->sequence & path_probe) == 0) ++association.echo_requests;
      return queue_control({ControlMessage::Kind::echo_reply, message->sequence, message->stamp,
                            association.echo_requests});
    case ControlMessage::Kind::echo_reply: {
      const Time asked{Duration(static_cast<Duration::rep>(message->stamp))};
      announce(association.id, EchoReplied{message->sequence, now - asked, message->received});
      return;
    }
    case ControlMessage::Kind::rekey_request:
      announce(association.id, RekeyRequested{});
      return;
  }
}

void Lane::count_written(const inside::SuperPacket& packet) {
  add(counters_.rx_packets, packet.packets);
  add(counters_.rx_bytes, packet.bytes);
}

}  // namespace routevpn::datapath
