#include "routevpn/inside/segment.hpp"

#include <random>

#include "catch.hpp"
#include "packets.hpp"

using namespace routevpn;
using namespace routevpn::inside;
using packets::ascending;
using packets::Octets;
using packets::Spec;
using packets::split;
using packets::Super;

namespace {

std::size_t l4_at(const Spec& spec) {
  return (spec.v6 ? 40 : 20) + spec.ip_options.size();
}

// Every segment is a valid packet, and their payloads together are the super-packet's.
void check_segments(const Spec& spec, std::size_t gso_bytes, const std::vector<Octets>& segments) {
  const std::size_t header =
      l4_at(spec) + (spec.protocol == packets::udp ? 8 : 20 + spec.tcp_options.size());
  Octets payload;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    CAPTURE(i);
    const Octets& one = segments[i];
    REQUIRE(one.size() >= header);
    CHECK(packets::is_sound(one, l4_at(spec)));
    if (i + 1 < segments.size()) CHECK(one.size() == header + gso_bytes);
    if (!spec.v6) CHECK(load_be16(&one[4]) == static_cast<std::uint16_t>(spec.id + i));
    if (spec.protocol == packets::tcp) {
      CHECK(load_be32(&one[l4_at(spec) + 4]) ==
            static_cast<std::uint32_t>(spec.sequence + i * gso_bytes));
    }
    payload.insert(payload.end(), one.begin() + static_cast<std::ptrdiff_t>(header), one.end());
  }
  CHECK(payload == spec.payload);
}

}  // namespace

TEST_CASE("a super-packet becomes valid segments with its payload") {
  Spec spec;
  spec.v6 = GENERATE(false, true);
  spec.protocol = GENERATE(packets::tcp, packets::udp);
  spec.id = 0xfffe;  // wraps
  spec.tos = 0x03;
  if (spec.protocol == packets::tcp) spec.tcp_options = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2};
  const std::size_t gso_bytes = GENERATE(1U, 2U, 47U, 48U, 999U, 1000U, 1400U);
  const std::size_t payload_bytes = GENERATE(1U, 999U, 1000U, 1001U, 1400U, 2800U);
  spec.payload = ascending(payload_bytes);
  const Super super = packets::build_super(spec, static_cast<std::uint16_t>(gso_bytes));
  if ((payload_bytes + gso_bytes - 1) / gso_bytes > worst_case_segments) return;

  const auto result = split(super.header, super.packet);
  CHECK_FALSE(result.drop);
  CHECK(result.packets.size() == (payload_bytes + gso_bytes - 1) / gso_bytes);
  check_segments(spec, gso_bytes, result.packets);
}

TEST_CASE("segments whose checksum is either zero of one's complement verify") {
  Spec spec;
  spec.protocol = GENERATE(packets::tcp, packets::udp);
  spec.payload = Octets(4, 0);
  // The first word of the payload makes the whole sum zero.
  const Octets plain = packets::build(spec);
  const std::size_t field = 20 + (spec.protocol == packets::udp ? 6 : 16);
  spec.payload[0] = plain[field];
  spec.payload[1] = plain[field + 1];
  const Octets expected = packets::build(spec);
  CHECK(load_be16(&expected[field]) == (spec.protocol == packets::udp ? 0xffff : 0));
  const Super super = packets::build_super(spec, 4);
  const auto result = split(super.header, super.packet);
  REQUIRE(result.packets.size() == 1);
  CHECK(result.packets[0] == expected);

  VirtioNetHeader unsplit = super.header;
  unsplit.gso_type = vnet_gso_none;
  CHECK(split(unsplit, super.packet).packets == result.packets);
}

TEST_CASE("FIN and PSH are set on the last segment, CWR on the first, other flags on each") {
  Spec spec;
  spec.flags = packets::ack | packets::ece | packets::cwr | packets::psh | packets::fin;
  spec.payload = ascending(250);
  Super super = packets::build_super(spec, 100);
  super.header.gso_type |= vnet_gso_ecn;
  const auto result = split(super.header, super.packet);
  REQUIRE(result.packets.size() == 3);
  const std::uint8_t all = packets::ack | packets::ece;
  CHECK(int{result.packets[0][33]} == (all | packets::cwr));
  CHECK(int{result.packets[1][33]} == all);
  CHECK(int{result.packets[2][33]} == (all | packets::psh | packets::fin));
  check_segments(spec, 100, result.packets);

  SECTION("a single segment has all of them") {
    super.header.gso_bytes = 250;
    const auto one = split(super.header, super.packet);
    REQUIRE(one.packets.size() == 1);
    CHECK(int{one.packets[0][33]} == int{spec.flags});
  }
}

TEST_CASE("options and extension headers are copied to each segment") {
  Spec spec;
  spec.v6 = GENERATE(false, true);
  spec.protocol = GENERATE(packets::tcp, packets::udp);
  spec.ip_options = spec.v6 ? Octets{spec.protocol, 0, 1, 4, 0, 0, 0, 0} : Octets{1, 1, 1, 0};
  spec.payload = ascending(1000);
  const Super super = packets::build_super(spec, 300);
  const auto result = split(super.header, super.packet);
  CHECK_FALSE(result.drop);
  CHECK(result.packets.size() == 4);
  check_segments(spec, 300, result.packets);
}

TEST_CASE("behind extension headers the kernel's sum includes the final destination") {
  Spec spec;
  spec.v6 = true;
  spec.ip_options = {packets::tcp, 0, 1, 4, 0, 0, 0, 0};
  spec.payload = ascending(200);
  Super super = packets::build_super(spec, 100);
  super.packet[39] = 77;  // the next hop of a source route
  auto result = split(super.header, super.packet);
  REQUIRE(result.packets.size() == 2);
  for (Octets& one : result.packets) {
    one[39] = spec.destination;
    CHECK(packets::is_sound(one, l4_at(spec)));
  }
}

TEST_CASE("header_bytes of the virtio-net header is not used") {
  Spec spec;
  spec.payload = ascending(1000);
  Super super = packets::build_super(spec, 300);
  super.header.header_bytes =
      GENERATE(std::uint16_t{0}, std::uint16_t{1}, std::uint16_t{20}, std::uint16_t{65535});
  const auto result = split(super.header, super.packet);
  CHECK(result.packets.size() == 4);
  check_segments(spec, 300, result.packets);
}

TEST_CASE("a packet with a complete checksum is copied") {
  Spec spec;
  spec.v6 = GENERATE(false, true);
  spec.protocol = GENERATE(packets::tcp, packets::udp, std::uint8_t{1});
  spec.payload = ascending(GENERATE(0U, 1U, 1000U));
  const Octets packet = packets::build(spec);
  const auto result = split({}, packet);
  REQUIRE(result.packets.size() == 1);
  CHECK(result.packets[0] == packet);
}

TEST_CASE("a partial checksum is completed") {
  Spec spec;
  spec.v6 = GENERATE(false, true);
  spec.protocol = GENERATE(packets::tcp, packets::udp);
  for (std::size_t payload = 0; payload < 1400; payload += 37) {
    spec.payload = ascending(payload);
    Super super = packets::build_super(spec, 0);
    super.header.gso_type = vnet_gso_none;
    const auto result = split(super.header, super.packet);
    REQUIRE(result.packets.size() == 1);
    CHECK(result.packets[0] == packets::build(spec));
  }
}

TEST_CASE("the MTU limits a packet, and each segment of a super-packet") {
  Spec spec;
  spec.v6 = GENERATE(false, true);
  const std::size_t headers = spec.v6 ? 60 : 40;
  const std::size_t mtu = GENERATE(576U, 1280U, 1415U, 1500U);

  spec.payload = ascending(mtu - headers);
  CHECK_FALSE(split({}, packets::build(spec), mtu).drop);
  spec.payload = ascending(mtu - headers + 1);
  CHECK(split({}, packets::build(spec), mtu).drop == Drop::inside_too_big);

  spec.payload = ascending(10 * mtu);
  const Super fits = packets::build_super(spec, static_cast<std::uint16_t>(mtu - headers));
  CHECK_FALSE(split(fits.header, fits.packet, mtu).drop);
  const Super too_big = packets::build_super(spec, static_cast<std::uint16_t>(mtu - headers + 1));
  CHECK(split(too_big.header, too_big.packet, mtu).drop == Drop::inside_too_big);

  // A segment size larger than the payload is allowed.
  spec.payload = ascending(mtu - headers);
  const Super single = packets::build_super(spec, 65535);
  CHECK(split(single.header, single.packet, mtu).packets ==
        std::vector<Octets>{packets::build(spec)});
}

TEST_CASE("packets of every size pass") {
  Spec spec;
  spec.protocol = packets::udp;
  for (std::size_t size = 28; size <= 1500; ++size) {
    spec.payload = ascending(size - 28);
    const Super super = packets::build_super(spec, static_cast<std::uint16_t>(size));
    const auto result = split(super.header, super.packet, 1500);
    REQUIRE(result.packets == std::vector<Octets>{packets::build(spec)});
  }
}

TEST_CASE("the largest super-packet in the smallest segments fits an empty batch") {
  Spec spec;
  spec.v6 = GENERATE(false, true);
  spec.tcp_options = Octets(40, 1);
  const std::size_t headers = spec.v6 ? 100 : 80;
  spec.payload = ascending(65535 - headers);
  const Super super = packets::build_super(spec, 48);
  const auto result = split(super.header, super.packet);
  CHECK_FALSE(result.drop);
  check_segments(spec, 48, result.packets);
}

TEST_CASE("random super-packets become valid segments") {
  std::mt19937_64 random(GENERATE(range(1U, 9U)));
  for (int turn = 0; turn < 60; ++turn) {
    Spec spec;
    spec.v6 = packets::chance(random, 2);
    spec.protocol = packets::chance(random, 2) ? packets::tcp : packets::udp;
    spec.id = static_cast<std::uint16_t>(random());
    spec.sequence = static_cast<std::uint32_t>(random());
    spec.flags = static_cast<std::uint8_t>(random());
    spec.tcp_options = packets::random_octets(random, 4 * packets::pick(random, 0, 10));
    spec.payload = packets::random_octets(random, packets::pick(random, 1, 20000));
    const std::size_t gso_bytes = packets::pick(random, 48, 1400);
    const Super super = packets::build_super(spec, static_cast<std::uint16_t>(gso_bytes));
    const auto result = split(super.header, super.packet, 1500);
    REQUIRE_FALSE(result.drop);
    check_segments(spec, gso_bytes, result.packets);
  }
}
