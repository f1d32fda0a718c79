#include "routevpn/inside/coalesce.hpp"

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

}  // namespace routevpn::inside
