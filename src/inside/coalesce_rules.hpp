// The rules for joining packets to super-packets: the kind of a packet, its flow, and whether it
// may follow another packet such that segmentation restores both.
#pragma once

#include <cstddef>
#include <cstdint>

#include "routevpn/base/bytes.hpp"

namespace routevpn::inside {

enum class Kind : std::uint8_t {
  other,         // neither TCP nor UDP: belongs to no flow that is joined
  unknown_flow,  // may be TCP or UDP, but with options, fragmented or malformed: ports unknown
  unmergeable,   // of a known flow, but sent alone: SYN, pure ACK, UDP without checksum ...
  mergeable,
};

// A packet that passed ip_packet_verdict(). `other` and `unknown_flow` packets have only data,
// bytes and kind set.
struct ParsedPacket {
  std::uint8_t* data = nullptr;
  std::uint32_t bytes = 0;
  Kind kind = Kind::other;
  bool is_v6 = false;
  bool is_udp = false;
  std::uint8_t l4_at = 0;
  std::uint8_t header_bytes = 0;  // IP and L4, at most 40 + 60
  std::uint32_t flow_hash = 0;

  [[nodiscard]] std::uint32_t payload_bytes() const { return bytes - header_bytes; }
  [[nodiscard]] std::uint8_t* l4() const { return data + l4_at; }
};

ParsedPacket parse_packet(Bytes packet, bool udp_offload);

// Whether version, protocol, addresses and ports are equal. Both packets have a known flow.
bool same_flow(const ParsedPacket& a, const ParsedPacket& b);
bool same_addresses(const ParsedPacket& a, const ParsedPacket& b);

// For two mergeable packets of one flow: whether all fields are equal except for lengths, id,
// sequence number, PSH and checksums.
bool same_headers(const ParsedPacket& head, const ParsedPacket& next);

// The IPv4 header checksum and the TCP or UDP checksum of a mergeable packet.
bool checksums_are_correct(const ParsedPacket& packet);

bool has_push(const ParsedPacket& packet);  // TCP with PSH

}  // namespace routevpn::inside
