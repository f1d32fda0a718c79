#include "routevpn/inside/udp_to.hpp"

#include <vector>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::inside;

namespace {

using Packet = std::vector<std::uint8_t>;

const SocketAddress peer4{*IpAddress::parse("192.0.2.2"), 7754};
const SocketAddress peer6{*IpAddress::parse("2001:db8::2"), 7754};

Packet ip4_datagram() {
  Packet packet = {0x45, 0, 0, 28, 0, 1, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2};
  packet.insert(packet.end(), {0x80, 0, 0x1e, 0x4a, 0, 8, 0, 0});
  return packet;
}

Packet ip6_datagram() {
  Packet packet = {0x60, 0, 0, 0, 0, 8, 17, 64};
  for (const auto* address : {"2001:db8::1", "2001:db8::2"}) {
    const auto bytes = IpAddress::parse(address)->bytes();
    packet.insert(packet.end(), bytes.begin(), bytes.end());
  }
  packet.insert(packet.end(), {0x80, 0, 0x1e, 0x4a, 0, 8, 0, 0});
  return packet;
}

}  // namespace

TEST_CASE("a datagram for the peer is known by address and port") {
  CHECK(is_udp_to(ip4_datagram(), peer4));
  CHECK(is_udp_to(ip6_datagram(), peer6));
  CHECK_FALSE(is_udp_to(ip4_datagram(), peer6));
  CHECK_FALSE(is_udp_to(ip6_datagram(), peer4));
  CHECK_FALSE(is_udp_to(ip4_datagram(), {peer4.address, 7755}));
  CHECK_FALSE(is_udp_to(ip6_datagram(), {*IpAddress::parse("2001:db8::3"), 7754}));
}

TEST_CASE("other packets, and what is no whole packet, are not for the peer") {
  for (const auto& [whole, to] :
       {std::pair(ip4_datagram(), peer4), std::pair(ip6_datagram(), peer6)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const std::vector<std::uint8_t> part(whole.begin(),
                                           whole.begin() + static_cast<std::ptrdiff_t>(size));
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
  packet[0] = 0x41;  // a header shorter than the shortest
  CHECK_FALSE(is_udp_to(packet, peer4));
}
