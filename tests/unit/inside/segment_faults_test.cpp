#include "routevpn/inside/segment.hpp"

#include "catch.hpp"
#include "packets.hpp"

using namespace routevpn;
using namespace routevpn::inside;
using packets::ascending;
using packets::Octets;
using packets::Spec;
using packets::split;
using packets::Super;

TEST_CASE("a packet that contradicts its virtio-net header is dropped") {
  Spec spec;
  spec.v6 = GENERATE(false, true);
  spec.protocol = GENERATE(packets::tcp, packets::udp);
  spec.payload = ascending(500);
  Super super = packets::build_super(spec, 100);
  const std::size_t l4 = spec.v6 ? 40 : 20;
  const auto verdict = [&] { return split(super.header, super.packet).drop; };
  REQUIRE_FALSE(verdict());

  SECTION("no segment size") {
    super.header.gso_bytes = 0;
    CHECK(verdict() == Drop::inside_malformed);
  }
  SECTION("no checksum requested") {
    super.header.flags = 0;
    CHECK(verdict() == Drop::inside_malformed);
  }
  SECTION("an unknown type, or the type of the other IP version") {
    const std::uint8_t other = spec.v6 ? vnet_gso_tcp4 : vnet_gso_tcp6;
    super.header.gso_type = GENERATE_REF(std::uint8_t{2}, std::uint8_t{3}, std::uint8_t{6},
                                         std::uint8_t{0x7f}, vnet_gso_ecn, other);
    CHECK(verdict() == Drop::inside_malformed);
  }
  SECTION("another protocol than that of the type") {
    super.packet[spec.v6 ? 6 : 9] = 132;
    CHECK(verdict() == Drop::inside_malformed);
  }
  SECTION("checksum_start inside the IP header, at the end, beyond") {
    const std::size_t start = GENERATE_REF(std::size_t{0}, l4 - 1, l4 + 600, std::size_t{65535});
    super.header.checksum_start = static_cast<std::uint16_t>(start);
    CHECK(verdict() == Drop::inside_malformed);
    super.header.gso_type = vnet_gso_none;
    CHECK(verdict() == Drop::inside_malformed);
  }
  SECTION("checksum_offset elsewhere") {
    super.header.checksum_offset = 65535;
    CHECK(verdict() == Drop::inside_malformed);
    super.header.gso_type = vnet_gso_none;
    CHECK(verdict() == Drop::inside_malformed);
  }
  SECTION("the checksum field ends one byte behind the packet") {
    super.header.gso_type = vnet_gso_none;
    super.header.checksum_offset = static_cast<std::uint16_t>(super.packet.size() - l4 - 2);
    CHECK_FALSE(verdict());
    ++super.header.checksum_offset;
    CHECK(verdict() == Drop::inside_malformed);
  }
  SECTION("IP length") {
    super.packet.push_back(0);
    CHECK(verdict() == Drop::inside_malformed);
    super.packet.resize(super.packet.size() - 2);
    CHECK(verdict() == Drop::inside_malformed);
  }
  SECTION("not IP at all") {
    super.packet[0] = GENERATE(std::uint8_t{0x00}, std::uint8_t{0x55}, std::uint8_t{0xff});
    CHECK(verdict() == Drop::inside_not_ip);
    super.packet.clear();
    CHECK(verdict() == Drop::inside_not_ip);
  }
}

TEST_CASE("a TCP header that is too short or ends behind the packet is dropped") {
  Spec spec;
  spec.payload = ascending(3);
  Super super = packets::build_super(spec, 100);
  super.packet[32] =
      GENERATE(std::uint8_t{0x00}, std::uint8_t{0x40}, std::uint8_t{0x60}, std::uint8_t{0xf0});
  CHECK(split(super.header, super.packet).drop == Drop::inside_malformed);
}

TEST_CASE("a packet cut anywhere in its headers is dropped") {
  Spec spec;
  spec.v6 = GENERATE(false, true);
  spec.protocol = GENERATE(packets::tcp, packets::udp);
  const Super super = packets::build_super(spec, 100);
  for (std::size_t size = 0; size < super.packet.size(); ++size) {
    Octets cut(super.packet.begin(), super.packet.begin() + static_cast<std::ptrdiff_t>(size));
    if (!spec.v6 && size >= 4) store_be16(&cut[2], static_cast<std::uint16_t>(size));
    if (spec.v6 && size >= 40) store_be16(&cut[4], static_cast<std::uint16_t>(size - 40));
    const auto result = split(super.header, cut);
    CHECK(result.drop == (size == 0 ? Drop::inside_not_ip : Drop::inside_malformed));
    CHECK(result.packets.empty());
  }
}

TEST_CASE("a batch without enough room is unchanged") {
  Spec spec;
  spec.payload = ascending(1000);
  const Super super = packets::build_super(spec, 100);
  const bool few_bytes = GENERATE(false, true);
  OutboundBatch batch(few_bytes ? 1000 : 10000, few_bytes ? 100 : 10);
  batch.clear(21, 16);
  REQUIRE(batch.append(60) != nullptr);
  const std::size_t free_bytes = batch.free_bytes();
  Octets scratch = super.packet;
  CHECK(segment(super.header, scratch, 1500, batch) == Drop::inside_too_big);
  CHECK(batch.packets().size() == 1);
  CHECK(batch.free_bytes() == free_bytes);

  Octets large = packets::build(spec);
  OutboundBatch small(1000, 10);
  small.clear(0, 0);
  CHECK(segment({}, large, 1500, small) == Drop::inside_too_big);
  CHECK(small.empty());
}
