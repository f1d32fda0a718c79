#include "coalesce_rules.hpp"

#include <cstring>

#include "routevpn/inside/checksum.hpp"

#include "packet_fields.hpp"

namespace routevpn::inside {
namespace {

// The extension headers of RFC 7045 section 4: hop-by-hop options, routing, fragment,
// authentication, destination options, mobility, HIP and shim6.
bool is_extension_header(std::uint8_t number) {
  return number == 0 || number == 43 || number == 44 || number == 51 || number == 60 ||
         number == 135 || number == 139 || number == 140;
}

bool equal(const ParsedPacket& a, const ParsedPacket& b, std::size_t at, std::size_t size) {
  return std::memcmp(a.data + at, b.data + at, size) == 0;
}

template <typename Word>
Word load(const std::uint8_t* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// A collision costs one comparison in same_flow().
std::uint32_t hash_flow(const ParsedPacket& packet) {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
  std::uint64_t hash = load<std::uint32_t>(packet.l4()) + std::uint64_t{packet.is_udp};
  const ConstBytes addresses = addresses_of(packet.data);
  for (std::size_t at = 0; at < addresses.size(); at += sizeof hash) {
    hash = (hash ^ load<std::uint64_t>(addresses.data() + at)) * odd;
  }
  return static_cast<std::uint32_t>(hash >> 32);
}

// The second zero of one's complement. Segmentation writes zero as 0x0000, so a packet with 0xffff
// would not come back unchanged.
constexpr std::uint16_t other_zero = 0xffff;

Kind kind_of_tcp(const ParsedPacket& packet) {
  const std::uint8_t* const l4 = packet.l4();
  constexpr std::uint8_t may_differ_from_ack = tcp::psh | tcp::ece;
  const bool plain = (l4[tcp::flags_at] & ~may_differ_from_ack) == tcp::ack;
  const bool checksum_returns = load_be16(l4 + tcp::checksum_at) != other_zero;
  return plain && checksum_returns && packet.payload_bytes() != 0 ? Kind::mergeable
                                                                  : Kind::unmergeable;
}

Kind kind_of_udp(const ParsedPacket& packet) {
  const std::uint8_t* const l4 = packet.l4();
  const bool whole = load_be16(l4 + udp::length_at) == packet.bytes - packet.l4_at;
  const bool has_checksum = load_be16(l4 + udp::checksum_at) != 0;
  return whole && has_checksum && packet.payload_bytes() != 0 ? Kind::mergeable : Kind::unmergeable;
}

// Parses the TCP or UDP header. l4_at and is_udp are set already.
void parse_l4(ParsedPacket& packet) {
  const ConstBytes l4(packet.l4(), packet.bytes - packet.l4_at);
  const std::size_t header_bytes = l4_header_bytes(l4, packet.is_udp);
  packet.kind = Kind::unknown_flow;
  if (header_bytes == 0) return;
  packet.header_bytes = static_cast<std::uint8_t>(packet.l4_at + header_bytes);
  packet.kind = packet.is_udp ? kind_of_udp(packet) : kind_of_tcp(packet);
  packet.flow_hash = hash_flow(packet);
}

bool ip4_header_is_plain(const std::uint8_t* ip) {
  constexpr std::uint8_t version_and_length = 4 << 4 | ip4::header_bytes / 4;
  const unsigned fragment = load_be16(ip + ip4::fragment_at);
  return ip[0] == version_and_length && (fragment & ~unsigned{ip4::dont_fragment}) == 0;
}

// The sum over data that includes its correct checksum (RFC 1071 section 1).
constexpr std::uint16_t correct_sum = 0xffff;

// Faster than checksum_add() for the five words of a header.
bool ip4_checksum_is_correct(const std::uint8_t* ip) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < ip4::header_bytes; at += 4) sum += load<std::uint32_t>(ip + at);
  return checksum_fold(sum) == correct_sum;
}

}  // namespace

ParsedPacket parse_packet(Bytes bytes, bool udp_offload) {
  ParsedPacket packet;
  packet.data = bytes.data();
  packet.bytes = static_cast<std::uint32_t>(bytes.size());
  packet.is_v6 = is_ip6(packet.data);
  const std::uint8_t protocol = packet.data[packet.is_v6 ? ip6::next_header_at : ip4::protocol_at];
  packet.is_udp = protocol == udp::protocol;
  packet.l4_at = packet.is_v6 ? ip6::header_bytes : ip4::header_bytes;
  if (packet.is_v6 && is_extension_header(protocol)) {
    packet.kind = Kind::unknown_flow;
  } else if (protocol == tcp::protocol || (packet.is_udp && udp_offload)) {
    if (!packet.is_v6 && !ip4_header_is_plain(packet.data)) {
      packet.kind = Kind::unknown_flow;
    } else {
      parse_l4(packet);
      if (packet.kind == Kind::mergeable && !packet.is_v6 &&
          load_be16(packet.data + ip4::checksum_at) == other_zero) {
        packet.kind = Kind::unmergeable;
      }
    }
  }
  return packet;
}

bool same_addresses(const ParsedPacket& a, const ParsedPacket& b) {
  if (a.is_v6 != b.is_v6) return false;
  const ConstBytes addresses = addresses_of(a.data);
  return std::memcmp(addresses.data(), addresses_of(b.data).data(), addresses.size()) == 0;
}

bool same_flow(const ParsedPacket& a, const ParsedPacket& b) {
  return a.is_udp == b.is_udp && same_addresses(a, b) &&
         load<std::uint32_t>(a.l4()) == load<std::uint32_t>(b.l4());  // both ports
}

bool same_headers(const ParsedPacket& head, const ParsedPacket& next) {
  if (head.is_v6) {
    // Version, traffic class and flow label.
    if (!equal(head, next, 0, 4) || !equal(head, next, ip6::hop_limit_at, 1)) return false;
  } else if (!equal(head, next, ip4::tos_at, 1) || !equal(head, next, ip4::fragment_at, 2) ||
             !equal(head, next, ip4::ttl_at, 1)) {
    return false;
  }
  if (head.is_udp) return true;
  // The compared bytes include the data offset, so both headers have options of the same length.
  const std::size_t l4_at = head.l4_at;
  const unsigned flags = head.l4()[tcp::flags_at] ^ next.l4()[tcp::flags_at];
  return (flags & ~unsigned{tcp::psh}) == 0 &&
         equal(head, next, l4_at + tcp::acknowledgment_at,
               tcp::flags_at - tcp::acknowledgment_at) &&
         equal(head, next, l4_at + tcp::window_at, tcp::checksum_at - tcp::window_at) &&
         equal(head, next, l4_at + tcp::urgent_at, head.header_bytes - l4_at - tcp::urgent_at);
}

bool checksums_are_correct(const ParsedPacket& packet) {
  const ConstBytes bytes(packet.data, packet.bytes);
  if (!packet.is_v6 && !ip4_checksum_is_correct(packet.data)) return false;
  // The addresses end where L4 begins, so one pass sums the pseudo-header's addresses and L4.
  const std::size_t addresses_at = packet.is_v6 ? ip6::addresses_at : ip4::addresses_at;
  const std::uint32_t l4_bytes = packet.bytes - packet.l4_at;
  return checksum_add(bytes.subspan(addresses_at),
                      l4_bytes + (packet.is_udp ? udp::protocol : tcp::protocol)) == correct_sum;
}

bool has_push(const ParsedPacket& packet) {
  return !packet.is_udp && (packet.l4()[tcp::flags_at] & tcp::psh) != 0;
}

}  // namespace routevpn::inside
