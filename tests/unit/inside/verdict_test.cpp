#include "routevpn/inside/coalesce.hpp"

#include "catch.hpp"
#include "streams.hpp"

using namespace routevpn;
using namespace routevpn::inside;
using packets::a_spec;
using packets::Octets;

TEST_CASE("the verdict on a packet's lengths") {
  const bool v6 = GENERATE(false, true);
  const Octets packet = packets::build(a_spec(v6, packets::udp, 10));
  const std::size_t header_bytes = v6 ? 40 : 20;
  CHECK(ip_packet_verdict(packet) == IpVerdict::valid);
  CHECK(ip_packet_verdict({}) == IpVerdict::not_ip);
  for (std::size_t size = 1; size < packet.size(); ++size) {
    CHECK(ip_packet_verdict({packet.data(), size}) == IpVerdict::malformed);
  }
  Octets longer = packet;
  longer.push_back(0);
  CHECK(ip_packet_verdict(longer) == IpVerdict::malformed);
  for (unsigned version = 0; version < 16; ++version) {
    Octets other = packet;
    other[0] = static_cast<std::uint8_t>(version << 4 | 5);
    const bool ip = version == 4 || version == 6;
    CHECK((ip_packet_verdict(other) == IpVerdict::not_ip) == !ip);
  }
  Octets bare(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(header_bytes));
  store_be16(&bare[v6 ? 4 : 2], v6 ? 0 : 20);
  CHECK(ip_packet_verdict(bare) == IpVerdict::valid);
  if (!v6) {
    bare[0] =
        GENERATE(std::uint8_t{0x44}, std::uint8_t{0x46}, std::uint8_t{0x4f}, std::uint8_t{0x40});
    CHECK(ip_packet_verdict(bare) == IpVerdict::malformed);
  }
}
