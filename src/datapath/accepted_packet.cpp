#include "routevpn/datapath/accepted_packet.hpp"

#include "routevpn/inside/ip_packet.hpp"

namespace routevpn::datapath {

namespace {

// `packet` has a valid IP header.
bool accepts_source(ConstBytes packet, const PrefixSet& sources) {
  constexpr std::size_t v4_source_at = 12;  // RFC 791 section 3.1
  constexpr std::size_t v6_source_at = 8;   // RFC 8200 section 3
  if (sources.empty()) return true;
  const bool v4 = packet[0] >> 4 == 4;
  const auto accepts = [&](const std::uint8_t* address) {
    return v4 ? sources.contains_v4(address) : sources.contains_v6(address);
  };
  if (accepts(packet.data() + (v4 ? v4_source_at : v6_source_at))) return true;
  // A router behind the peer sends an ICMP error, for example "packet too big", from any of its
  // addresses. The error is about a packet to an accepted prefix.
  const auto quoted = inside::quoted_destination(packet);
  return !quoted.empty() && accepts(quoted.data());
}

}  // namespace

std::optional<Drop> accept_packet(Bytes packet, inside::Ecn outer_ecn, const PrefixSet& sources) {
  if (inside::ip_packet_verdict(packet) != inside::IpVerdict::valid) {
    return Drop::payload_malformed;
  }
  if (!accepts_source(packet, sources)) return Drop::payload_source_refused;
  if (!inside::take_outer_ecn(packet, outer_ecn)) return Drop::payload_not_ect;
  return std::nullopt;
}

}  // namespace routevpn::datapath
