// The rules of joining, packet by packet: what a packet is, whether two belong to one flow, and
// whether one may follow another in a super-packet such that splitting it gives both back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "routevpn/base/bytes.hpp"

namespace routevpn::inside {

enum class Kind : std::uint8_t {
  other,    // neither TCP nor UDP: of no flow that is joined
  obscure,  // TCP or UDP perhaps, behind options, in a fragment or malformed: its ports are unknown
  unmergeable,  // of a known flow, but goes alone: SYN, pure ACK, no UDP checksum ...
  mergeable,
};

// A packet that passed ip_packet_verdict(). Of obscure and other ones only data, bytes and kind
// are set.
struct ParsedPacket {
  std::uint8_t* data = nullptr;
  std::uint32_t bytes = 0;
  Kind kind = Kind::other;
  bool is_v6 = false;
  bool is_udp = false;
  std::uint8_t l4_at = 0;
  std::uint8_t header_bytes = 0;  // all headers: 40 + 60 at most
  std::uint32_t flow_hash = 0;

  [[nodiscard]] std::uint32_t payload_bytes() const { return bytes - header_bytes; }
  [[nodiscard]] std::uint8_t* l4() const { return data + l4_at; }
};

ParsedPacket parse_packet(Bytes packet, bool udp_offload);

// The same version, protocol, addresses and ports. Neither may be obscure or other.
bool same_flow(const ParsedPacket& a, const ParsedPacket& b);
bool same_addresses(const ParsedPacket& a, const ParsedPacket& b);

// For two mergeable packets of one flow: all is equal but lengths, id, sequence, PSH, checksums.
bool same_headers(const ParsedPacket& head, const ParsedPacket& next);

// The checksums of IPv4 header and TCP or UDP of a mergeable packet.
bool checksums_hold(const ParsedPacket& packet);

bool has_push(const ParsedPacket& packet);  // TCP with PSH

}  // namespace routevpn::inside
