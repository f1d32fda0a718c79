#include "routevpn/inside/traffic_class.hpp"

#include "routevpn/inside/checksum.hpp"

#include "packet_fields.hpp"

namespace routevpn::inside {

namespace {

void set_ecn(std::uint8_t* packet, Ecn ecn) {
  const unsigned bits = static_cast<unsigned>(ecn);
  if (is_ip6(packet)) {
    packet[1] = static_cast<std::uint8_t>((packet[1] & ~(ecn_bits << 4)) | bits << 4);
    return;
  }
  // Only the first word of the header changes: RFC 1624 section 3, equation 3.
  const std::uint16_t before = load_be16(packet);
  packet[ip4::tos_at] = static_cast<std::uint8_t>((packet[ip4::tos_at] & ~ecn_bits) | bits);
  std::uint32_t sum = static_cast<std::uint16_t>(~load_be16(packet + ip4::checksum_at));
  sum += static_cast<std::uint16_t>(~before);
  sum += load_be16(packet);
  store_be16(packet + ip4::checksum_at, static_cast<std::uint16_t>(~checksum_fold(0, sum)));
}

}  // namespace

// RFC 6040 figure 4. A * marks the cells that differ from the inner header:
//
//     inner \ outer   Not-ECT    ECT(0)     ECT(1)     CE
//     Not-ECT         Not-ECT    Not-ECT    Not-ECT    dropped *
//     ECT(0)          ECT(0)     ECT(0)     ECT(1) *   CE *
//     ECT(1)          ECT(1)     ECT(1)     ECT(1)     CE *
//     CE              CE         CE         CE         CE
bool take_outer_ecn(Bytes packet, Ecn outer) {
  if (outer == Ecn::not_ect || outer == Ecn::ect_0) return true;
  const Ecn inner = ecn_of(traffic_class(packet));
  if (outer == Ecn::congested) {
    if (inner == Ecn::not_ect) return false;
    if (inner != Ecn::congested) set_ecn(packet.data(), Ecn::congested);
  } else if (inner == Ecn::ect_0) {
    set_ecn(packet.data(), Ecn::ect_1);
  }
  return true;
}

}  // namespace routevpn::inside
