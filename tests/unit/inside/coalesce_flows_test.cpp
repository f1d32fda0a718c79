#include "routevpn/inside/coalesce.hpp"

#include "catch.hpp"
#include "streams.hpp"

using namespace routevpn;
using namespace routevpn::inside;
using packets::a_spec;
using packets::build_all;
using packets::join;
using packets::Joined;
using packets::Octets;
using packets::Sizes;
using packets::sizes;
using packets::Spec;
using packets::split_all;
using packets::stream;

TEST_CASE("a pure ACK is not joined and keeps its place in the flow") {
  std::vector<Spec> specs = stream(a_spec(false, packets::tcp), 4);
  Spec pure = specs[2];
  pure.payload.clear();
  specs.insert(specs.begin() + 2, pure);
  for (std::size_t i = 0; i < specs.size(); ++i) specs[i].id = static_cast<std::uint16_t>(i);
  const std::vector<Octets> input = build_all(specs);
  const std::vector<Joined> joined = join(input);
  CHECK(sizes(joined) == Sizes{2, 1, 2});
  CHECK(split_all(joined) == input);
}

TEST_CASE(
    "fragments, options and extension headers are not joined and close the chains of their "
    "addresses") {
  const bool v6 = GENERATE(false, true);
  const std::uint8_t protocol = GENERATE(packets::tcp, packets::udp);
  std::vector<Spec> specs = stream(a_spec(v6, protocol), 4);
  Spec obscure = specs[0];
  if (v6) {
    obscure.ip_options = {protocol, 0, 1, 4, 0, 0, 0, 0};
  } else {
    // More fragments, fragment offset, reserved bit; or IPv4 options.
    obscure.fragment = GENERATE(std::uint16_t{0x2000}, std::uint16_t{0x0001}, std::uint16_t{0x8000},
                                std::uint16_t{0x4000});
    if (obscure.fragment == 0x4000) obscure.ip_options = {1, 1, 1, 0};
  }
  specs.insert(specs.begin() + 2, obscure);
  CHECK(sizes(join(build_all(specs))) == Sizes{2, 1, 2});

  // Chains between other addresses stay open.
  specs[2].source = 77;
  CHECK(sizes(join(build_all(specs))) == Sizes{4, 1});
}

TEST_CASE("other protocols are not joined and close no chain") {
  std::vector<Spec> specs = stream(a_spec(GENERATE(false, true), packets::tcp), 4);
  Spec other = specs[0];
  other.protocol = GENERATE(std::uint8_t{1}, std::uint8_t{50}, std::uint8_t{58}, std::uint8_t{132});
  specs.insert(specs.begin() + 2, other);
  CHECK(sizes(join(build_all(specs))) == Sizes{4, 1});
}

TEST_CASE("a TCP packet whose data offset is inside the fixed header is not joined") {
  std::vector<Octets> input = build_all(stream(a_spec(false, packets::tcp), 3));
  for (std::size_t i = 0; i < input.size(); ++i) {
    input[i][32] = 0x40;
    // The payload would begin four bytes earlier.
    store_be32(&input[i][24], static_cast<std::uint32_t>(i * 1004));
    packets::repair_checksums(input[i]);
  }
  CHECK(sizes(join(input)) == Sizes{1, 1, 1});
}

TEST_CASE("packets with truncated TCP or UDP headers are not joined") {
  const std::uint8_t protocol = GENERATE(packets::tcp, packets::udp);
  std::vector<Octets> input;
  for (std::size_t l4_bytes = 0; l4_bytes < 20; ++l4_bytes) {
    Spec spec = a_spec(false, 200, l4_bytes);  // no TCP or UDP header behind IP
    Octets packet = packets::build(spec);
    packet[9] = protocol;
    input.push_back(packet);
    input.push_back(packet);
  }
  const std::vector<Joined> joined = join(input);
  CHECK(sizes(joined) == Sizes(input.size(), 1));
  CHECK(split_all(joined) == input);
}

TEST_CASE("UDP") {
  SECTION("is joined only with UDP offload of the device") {
    const std::vector<Octets> input = build_all(stream(a_spec(false, packets::udp), 3));
    CHECK(sizes(join(input, false)) == Sizes{1, 1, 1});
    CHECK(sizes(join(build_all(stream(a_spec(false, packets::tcp), 3)), false)) == Sizes{3});
  }
  SECTION("at most 64 datagrams, the limit of older kernels") {
    const std::vector<Octets> input = build_all(stream(a_spec(true, packets::udp, 64), 150));
    const std::vector<Joined> joined = join(input);
    CHECK(sizes(joined) == Sizes{64, 64, 22});
    CHECK(split_all(joined) == input);
  }
  SECTION("without a checksum is not joined") {
    std::vector<Octets> input = build_all(stream(a_spec(false, packets::udp), 3));
    for (Octets& packet : input) store_be16(&packet[26], 0);
    CHECK(sizes(join(input)) == Sizes{1, 1, 1});
  }
  SECTION("without payload is not joined") {
    CHECK(sizes(join(build_all(stream(a_spec(false, packets::udp, 0), 3)))) == Sizes{1, 1, 1});
  }
  SECTION("with a length other than the packet's is not joined") {
    std::vector<Octets> input = build_all(stream(a_spec(false, packets::udp), 3));
    for (Octets& packet : input) {
      store_be16(&packet[24], 1007);
      packets::repair_checksums(packet);
    }
    CHECK(sizes(join(input)) == Sizes{1, 1, 1});
  }
}

TEST_CASE("a super-packet has at most 65535 bytes, and a write at most 1024 iovecs") {
  const bool v6 = GENERATE(false, true);
  const std::size_t headers = v6 ? 60 : 40;
  SECTION("65535 bytes are joined, 65536 are not") {
    // Five equal payloads fill it exactly (v4: 65495 = 5 * 13099, v6: 65475 = 5 * 13095).
    const std::size_t payload = (65535 - headers) / 5;
    REQUIRE(payload * 5 + headers == 65535);
    const std::vector<Octets> input = build_all(stream(a_spec(v6, packets::tcp, payload), 6));
    CHECK(sizes(join(input)) == Sizes{5, 1});
    const std::vector<Octets> over = build_all(stream(a_spec(v6, packets::tcp, payload + 1), 6));
    CHECK(sizes(join(over)) == Sizes{4, 2});

    std::vector<Spec> specs = stream(a_spec(v6, packets::tcp, payload + 1), 5);
    specs[4].payload.resize(payload - 4);  // 65535 in all
    CHECK(sizes(join(build_all(specs))) == Sizes{5});
    specs[4].payload.resize(payload - 3);
    CHECK(sizes(join(build_all(specs))) == Sizes{4, 1});
  }
  SECTION("tiny payloads") {
    const std::vector<Octets> input = build_all(stream(a_spec(v6, packets::tcp, 2), 1100));
    CHECK(sizes(join(input)) == Sizes{1023, 77});
  }
}

TEST_CASE("each of several alternating streams is joined") {
  constexpr std::size_t flows = 50;
  std::vector<std::vector<Spec>> streams;
  for (std::size_t flow = 0; flow < flows; ++flow) {
    Spec spec = a_spec(flow % 2 == 0, flow % 3 == 0 ? packets::udp : packets::tcp, 100);
    spec.source_port = static_cast<std::uint16_t>(flow);
    streams.push_back(stream(spec, 10));
  }
  std::vector<Octets> input;
  for (std::size_t i = 0; i < 10; ++i) {
    for (const auto& one : streams) input.push_back(packets::build(one[i]));
  }
  CHECK(sizes(join(input)) == Sizes(flows, 10));
}

TEST_CASE("more streams than the flow table holds keep their order") {
  constexpr std::size_t flows = 65;
  std::vector<Octets> input;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t flow = 0; flow < flows; ++flow) {
      Spec spec = a_spec(false, packets::udp, 100);
      spec.source_port = static_cast<std::uint16_t>(flow);
      input.push_back(packets::build(stream(spec, 3)[i]));
    }
  }
  const std::vector<Joined> joined = join(input);
  // 65 flows in turn through a table of 64: each is evicted right before its next packet.
  CHECK(sizes(joined) == Sizes(input.size(), 1));
  CHECK(split_all(joined) == input);
}
