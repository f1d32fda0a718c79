#include "routevpn/inside/traffic_class.hpp"

#include <vector>

#include "routevpn/inside/checksum.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::inside;

namespace {

using Packet = std::vector<std::uint8_t>;

// A header of this traffic class without payload; its other bytes depend on `salt`.
Packet ip4_packet(std::uint8_t traffic_class, std::uint8_t salt = 0) {
  Packet packet = {0x45, traffic_class, 0, 20, salt, 7, 0x40, 0, 64, 17, 0, 0, 10, 0, 0,
                   1,    salt,          0, 0,  2};
  const auto sum = static_cast<std::uint16_t>(~checksum_add(packet));
  store_be16(&packet[10], sum);
  return packet;
}

Packet ip6_packet(std::uint8_t traffic_class) {
  Packet packet(40);
  packet[0] = static_cast<std::uint8_t>(0x60 | traffic_class >> 4);
  packet[1] = static_cast<std::uint8_t>(traffic_class << 4 | 0x0b);  // a flow label's first bits
  packet[2] = 0xcd;
  return packet;
}

constexpr std::uint16_t all_ones = 0xffff;  // the sum of a header with a correct checksum

enum class Outcome : std::uint8_t { not_ect, ect_1, ect_0, congested, dropped };

}  // namespace

TEST_CASE("the traffic class is read from IPv4 and IPv6 headers") {
  CHECK(traffic_class(ip4_packet(0xb9)) == 0xb9);
  CHECK(traffic_class(ip6_packet(0xb9)) == 0xb9);
  CHECK(traffic_class(Packet{}) == 0);
  CHECK(traffic_class(Packet{0x45}) == 0);
  CHECK(traffic_class(Packet{0x10, 0xff}) == 0);
}

// RFC 6040 section 4.2, figure 4.
TEST_CASE("the inner packet gets the ECN of RFC 6040 figure 4") {
  using O = Outcome;
  constexpr O table[4][4] = {
      // outer: Not-ECT, ECT(1), ECT(0), CE
      {O::not_ect, O::not_ect, O::not_ect, O::dropped},          // inner Not-ECT
      {O::ect_1, O::ect_1, O::ect_1, O::congested},              // inner ECT(1)
      {O::ect_0, O::ect_1, O::ect_0, O::congested},              // inner ECT(0)
      {O::congested, O::congested, O::congested, O::congested},  // inner CE
  };
  constexpr std::uint8_t ef = 0x2e << 2;
  for (std::uint8_t inner = 0; inner < 4; ++inner) {
    for (std::uint8_t outer = 0; outer < 4; ++outer) {
      CAPTURE(inner, outer);
      const O expected = table[inner][outer];
      const auto dscp_and_ecn = static_cast<std::uint8_t>(ef | static_cast<unsigned>(expected));
      auto v4 = ip4_packet(ef | inner);
      auto v6 = ip6_packet(ef | inner);
      const bool kept = expected != O::dropped;
      CHECK(take_outer_ecn(v4, ecn_of(outer)) == kept);
      CHECK(take_outer_ecn(v6, ecn_of(outer)) == kept);
      if (!kept) continue;
      CHECK(v4 == ip4_packet(dscp_and_ecn));
      CHECK(v6 == ip6_packet(dscp_and_ecn));
    }
  }
}

TEST_CASE("a correct IPv4 header checksum stays correct") {
  for (unsigned salt = 0; salt < 256; ++salt) {
    auto packet = ip4_packet(2, static_cast<std::uint8_t>(salt));
    REQUIRE(checksum_add(packet) == all_ones);
    REQUIRE(take_outer_ecn(packet, Ecn::congested));
    CHECK(checksum_add(packet) == all_ones);
    CHECK(packet == ip4_packet(3, static_cast<std::uint8_t>(salt)));
  }
}

TEST_CASE("a wrong IPv4 header checksum stays wrong") {
  auto packet = ip4_packet(2);
  packet[11] ^= 0x55;
  REQUIRE(take_outer_ecn(packet, Ecn::congested));
  CHECK(checksum_add(packet) != all_ones);
}
