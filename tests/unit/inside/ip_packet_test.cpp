#include "routevpn/inside/ip_packet.hpp"

#include <utility>

#include "catch.hpp"
#include "streams.hpp"

using namespace routevpn;
using namespace routevpn::inside;
using packets::a_spec;
using packets::Octets;

namespace {

const SocketAddress peer4{*IpAddress::parse("192.0.2.2"), 7754};
const SocketAddress peer6{*IpAddress::parse("2001:db8::2"), 7754};

Octets ip4_datagram() {
  Octets packet = {0x45, 0, 0, 28, 0, 1, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
  packet.insert(packet.end(), {0x80, 0, 0x1e, 0x4a, 0, 8, 0, 0});
  return packet;
}

Octets ip6_datagram() {
  Octets packet = {0x60, 0, 0, 0, 0, 8, 17, 64};
  for (const auto* address : {"2001:db8::1", "2001:db8::2"}) {
    const auto bytes = IpAddress::parse(address)->bytes();
    packet.insert(packet.end(), bytes.begin(), bytes.end());
  }
  packet.insert(packet.end(), {0x80, 0, 0x1e, 0x4a, 0, 8, 0, 0});
  return packet;
}

}  // namespace

TEST_CASE("a UDP datagram is recognised by address and port") {
  CHECK(is_udp_to(ip4_datagram(), peer4));
  CHECK(is_udp_to(ip6_datagram(), peer6));
  CHECK_FALSE(is_udp_to(ip4_datagram(), peer6));
  CHECK_FALSE(is_udp_to(ip6_datagram(), peer4));
  CHECK_FALSE(is_udp_to(ip4_datagram(), {peer4.address, 7755}));
  CHECK_FALSE(is_udp_to(ip6_datagram(), {*IpAddress::parse("2001:db8::3"), 7754}));
}

TEST_CASE(
    "truncated packets, other protocols and later fragments are not UDP datagrams to the peer") {
  for (const auto& [whole, to] :
       {std::pair(ip4_datagram(), peer4), std::pair(ip6_datagram(), peer6)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Octets part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      CHECK_FALSE(is_udp_to(part, to));
    }
  }
  auto packet = ip4_datagram();
  packet[9] = 6;
  CHECK_FALSE(is_udp_to(packet, peer4));
  packet = ip4_datagram();
  packet[7] = 1;  // a later fragment
  CHECK_FALSE(is_udp_to(packet, peer4));
  packet = ip4_datagram();
  packet[0] = 0x41;  // an IPv4 header of 4 bytes
  CHECK_FALSE(is_udp_to(packet, peer4));
}

TEST_CASE("an IP packet is valid only when its lengths agree") {
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
