#include "routevpn/inside/ip_packet.hpp"

#include <cstring>

#include "packet_fields.hpp"

namespace routevpn::inside {

IpVerdict ip_packet_verdict(ConstBytes packet) {
  if (packet.empty()) return IpVerdict::not_ip;
  const auto verdict = [](bool valid) { return valid ? IpVerdict::valid : IpVerdict::malformed; };
  switch (packet[0] >> 4) {
    case 4: {
      const std::size_t header_bytes = std::size_t{4} * (packet[0] & 0x0f);
      return verdict(packet.size() >= ip4::header_bytes && header_bytes >= ip4::header_bytes &&
                     header_bytes <= packet.size() &&
                     load_be16(packet.data() + ip4::total_length_at) == packet.size());
    }
    case 6:
      return verdict(packet.size() >= ip6::header_bytes &&
                     load_be16(packet.data() + ip6::payload_length_at) + ip6::header_bytes ==
                         packet.size());
    default:
      return IpVerdict::not_ip;
  }
}

ConstBytes quoted_destination(ConstBytes packet) {
  constexpr std::size_t icmp_header_bytes = 8;  // RFC 792, RFC 4443 section 2.1
  constexpr std::uint16_t fragment_offset = 0x1fff;
  const bool v4 = !is_ip6(packet.data());
  const std::size_t icmp_at = v4 ? std::size_t{4} * (packet[0] & 0x0f) : ip6::header_bytes;
  const std::size_t quoted_at = icmp_at + icmp_header_bytes;
  const std::size_t quoted_bytes = v4 ? ip4::header_bytes : ip6::header_bytes;
  if (packet.size() < quoted_at + quoted_bytes) return {};
  if (packet[v4 ? ip4::protocol_at : ip6::next_header_at] != (v4 ? 1 : 58)) return {};
  if (v4 && (load_be16(&packet[ip4::fragment_at]) & fragment_offset) != 0) return {};
  const auto type = packet[icmp_at];
  // Destination unreachable, time exceeded, parameter problem. ICMPv6 also: packet too big.
  const bool is_error = v4 ? type == 3 || type == 11 || type == 12 : type >= 1 && type <= 4;
  if (!is_error || packet[quoted_at] >> 4 != (v4 ? 4 : 6)) return {};
  const auto addresses = addresses_of(&packet[quoted_at]);
  return addresses.last(addresses.size() / 2);
}

bool is_udp_to(ConstBytes packet, const SocketAddress& to) {
  constexpr std::uint16_t fragment_offset = 0x1fff;
  const bool v4 = to.address.is_v4();
  if (packet.empty() || packet[0] >> 4 != (v4 ? 4 : 6)) return false;
  const std::size_t l4_at = v4 ? std::size_t{4} * (packet[0] & 0x0f) : ip6::header_bytes;
  if (l4_at < ip4::header_bytes || packet.size() < l4_at + udp::header_bytes) return false;
  if (packet[v4 ? ip4::protocol_at : ip6::next_header_at] != udp::protocol) return false;
  if (v4 && (load_be16(&packet[ip4::fragment_at]) & fragment_offset) != 0) return false;
  const std::size_t bytes = to.address.bits() / 8;
  const std::size_t destination_at = (v4 ? ip4::addresses_at : ip6::addresses_at) + bytes;
  return load_be16(&packet[l4_at + 2]) == to.port &&
         std::memcmp(&packet[destination_at], to.address.bytes().data(), bytes) == 0;
}

}  // namespace routevpn::inside
