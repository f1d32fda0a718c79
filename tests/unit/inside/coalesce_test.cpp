#include "routevpn/inside/coalesce.hpp"

#include <functional>

#include "routevpn/inside/ip_packet.hpp"

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

TEST_CASE("a stream becomes one super-packet, and segment() restores it") {
  const bool v6 = GENERATE(false, true);
  const std::uint8_t protocol = GENERATE(packets::tcp, packets::udp);
  const std::vector<Octets> input = build_all(stream(a_spec(v6, protocol), 20));
  const std::vector<Joined> joined = join(input);
  REQUIRE(sizes(joined) == Sizes{20});
  const Joined& super = joined[0];
  const std::size_t l4 = v6 ? 40 : 20;
  CHECK(int{super.header.flags} == vnet_needs_checksum);
  CHECK(int{super.header.gso_type} == (protocol == packets::udp ? vnet_gso_udp
                                       : v6                     ? vnet_gso_tcp6
                                                                : vnet_gso_tcp4));
  CHECK(super.header.gso_bytes == 1000);
  CHECK(super.header.header_bytes == l4 + (protocol == packets::udp ? 8 : 20));
  CHECK(super.header.checksum_start == l4);
  CHECK(super.header.checksum_offset == (protocol == packets::udp ? 6 : 16));
  CHECK(ip_packet_verdict(super.packet) == IpVerdict::valid);
  CHECK(super.packet.size() == super.header.header_bytes + 20000U);

  // Completed as the virtio specification says, the checksum of the super-packet is correct.
  Octets whole = super.packet;
  const std::size_t field = l4 + super.header.checksum_offset;
  const std::uint16_t sum = packets::naive_sum({whole.data() + l4, whole.size() - l4});
  store_be16(&whole[field], static_cast<std::uint16_t>(~sum));
  CHECK(packets::is_sound(whole, l4));

  CHECK(split_all(joined) == input);
}

TEST_CASE("a single packet is unchanged and has an empty header") {
  const std::vector<Octets> input{packets::build(a_spec(false, packets::tcp))};
  const std::vector<Joined> joined = join(input);
  REQUIRE(sizes(joined) == Sizes{1});
  CHECK(joined[0].packet == input[0]);
  CHECK(int{joined[0].header.flags} == 0);
  CHECK(int{joined[0].header.gso_type} == vnet_gso_none);
  CHECK(join({}).empty());
}

TEST_CASE("iovecs, packets and bytes of a super-packet") {
  std::vector<Octets> arena = build_all(stream(a_spec(false, packets::tcp, 100), 3));
  const std::vector<Bytes> views(arena.begin(), arena.end());
  Coalescer coalescer(3, true);
  for (int turn = 0; turn < 2; ++turn) {  // a coalescer is reused
    arena = build_all(stream(a_spec(false, packets::tcp, 100), 3));
    const std::vector<Bytes> fresh(arena.begin(), arena.end());
    const auto supers = coalescer.join(fresh);
    REQUIRE(supers.size() == 1);
    CHECK(supers[0].packets == 3);
    CHECK(supers[0].bytes == 3 * 140);
    REQUIRE(supers[0].iovecs.size() == 4);
    CHECK(supers[0].iovecs[0].iov_len == sizeof(VirtioNetHeader));
    CHECK(supers[0].iovecs[1].iov_base == arena[0].data());
    CHECK(supers[0].iovecs[1].iov_len == 140);
    CHECK(supers[0].iovecs[2].iov_base == arena[1].data() + 40);
    CHECK(supers[0].iovecs[3].iov_len == 100);
  }
  SECTION("no more packets than its capacity") {
    std::vector<Octets> four = build_all(stream(a_spec(false, packets::tcp, 100), 4));
    const std::vector<Bytes> too_many(four.begin(), four.end());
    const auto supers = coalescer.join(too_many);
    REQUIRE(supers.size() == 1);
    CHECK(supers[0].packets == 3);
  }
}

TEST_CASE("packets with different headers are not joined") {
  struct Case {
    const char* name;
    bool tcp_only;
    bool v4_only;
    std::function<void(Spec&)> change;
  };
  const std::vector<Case> cases{
      {"source", false, false, [](Spec& s) { s.source = 9; }},
      {"destination", false, false, [](Spec& s) { s.destination = 9; }},
      {"source port", false, false, [](Spec& s) { ++s.source_port; }},
      {"destination port", false, false, [](Spec& s) { ++s.destination_port; }},
      {"TOS", false, false, [](Spec& s) { s.tos = 4; }},
      {"ECN", false, false, [](Spec& s) { s.tos = 3; }},
      {"TTL", false, false, [](Spec& s) { --s.ttl; }},
      {"DF", false, true, [](Spec& s) { s.fragment = 0; }},
      {"id", false, true, [](Spec& s) { ++s.id; }},
      {"sequence ahead", true, false, [](Spec& s) { ++s.sequence; }},
      {"sequence behind", true, false, [](Spec& s) { --s.sequence; }},
      {"acknowledgment", true, false, [](Spec& s) { ++s.acknowledgment; }},
      {"window", true, false, [](Spec& s) { ++s.window; }},
      {"ECE", true, false, [](Spec& s) { s.flags |= packets::ece; }},
      {"CWR", true, false, [](Spec& s) { s.flags |= packets::cwr; }},
      {"SYN", true, false, [](Spec& s) { s.flags |= packets::syn; }},
      {"FIN", true, false, [](Spec& s) { s.flags |= packets::fin; }},
      {"RST", true, false, [](Spec& s) { s.flags |= packets::rst; }},
      {"URG", true, false, [](Spec& s) { s.flags |= packets::urg; }},
      {"no ACK", true, false, [](Spec& s) { s.flags = packets::psh; }},
      {"TCP options", true, false, [](Spec& s) { s.tcp_options[3] = 9; }},
      {"TCP options' length", true, false, [](Spec& s) { s.tcp_options.resize(8, 1); }},
      {"longer payload", false, false, [](Spec& s) { s.payload.push_back(1); }},
  };
  const bool v6 = GENERATE(false, true);
  const std::uint8_t protocol = GENERATE(packets::tcp, packets::udp);
  for (const Case& one : cases) {
    if ((one.tcp_only && protocol != packets::tcp) || (one.v4_only && v6)) continue;
    CAPTURE(std::string(one.name), v6, int{protocol});
    Spec spec = a_spec(v6, protocol);
    spec.tcp_options = {1, 1, 1, 1};
    std::vector<Spec> specs = stream(spec, 2);
    CHECK(sizes(join(build_all(specs))) == Sizes{2});
    one.change(specs[1]);
    const std::vector<Octets> input = build_all(specs);
    const std::vector<Joined> joined = join(input);
    CHECK(sizes(joined) == Sizes{1, 1});
    CHECK(split_all(joined) == input);
  }
}

TEST_CASE("packets with SYN, FIN, RST, URG or CWR are not joined even when all have them") {
  Spec spec = a_spec(false, packets::tcp);
  spec.flags =
      static_cast<std::uint8_t>(packets::ack | GENERATE(packets::syn, packets::fin, packets::rst,
                                                        packets::urg, packets::cwr));
  CHECK(sizes(join(build_all(stream(spec, 3)))) == Sizes{1, 1, 1});
  spec.flags = packets::ack | packets::ece;
  CHECK(sizes(join(build_all(stream(spec, 3)))) == Sizes{3});
}

TEST_CASE("IPv4 ids") {
  std::vector<Spec> specs = stream(a_spec(false, GENERATE(packets::tcp, packets::udp)), 4);
  SECTION("wrap") {
    for (std::size_t i = 0; i < 4; ++i) specs[i].id = static_cast<std::uint16_t>(0xfffe + i);
    CHECK(sizes(join(build_all(specs))) == Sizes{4});
  }
  SECTION("all equal with DF") {
    for (Spec& spec : specs) spec.id = 0;
    const std::vector<Joined> joined = join(build_all(specs));
    CHECK(sizes(joined) == Sizes{4});
    // segment() restores all but the id.
    std::vector<Octets> back = split_all(joined);
    for (Octets& packet : back) {
      store_be16(&packet[4], 0);
      packets::repair_checksums(packet);
    }
    CHECK(back == build_all(specs));
  }
  SECTION("all equal without DF: reassembly needs the ids") {
    for (Spec& spec : specs) {
      spec.id = 7;
      spec.fragment = 0;
    }
    CHECK(sizes(join(build_all(specs))) == Sizes{1, 1, 1, 1});
  }
  SECTION("consecutive and equal ids are not mixed") {
    specs[1].id = specs[0].id;
    specs[2].id = static_cast<std::uint16_t>(specs[0].id + 2);
    specs[3].id = static_cast<std::uint16_t>(specs[0].id + 3);
    CHECK(sizes(join(build_all(specs))) == Sizes{2, 2});
  }
}

TEST_CASE("a shorter segment is the last of its super-packet") {
  std::vector<Spec> specs = stream(a_spec(false, GENERATE(packets::tcp, packets::udp)), 4);
  specs[2].payload.resize(999);
  specs[3].sequence -= 1;
  const std::vector<Octets> input = build_all(specs);
  const std::vector<Joined> joined = join(input);
  CHECK(sizes(joined) == Sizes{3, 1});
  CHECK(split_all(joined) == input);
}

TEST_CASE("PSH ends a super-packet and is set on it") {
  std::vector<Spec> specs = stream(a_spec(GENERATE(false, true), packets::tcp), 4);
  specs[1].flags |= packets::psh;
  const std::vector<Octets> input = build_all(specs);
  const std::vector<Joined> joined = join(input);
  CHECK(sizes(joined) == Sizes{2, 2});
  CHECK(split_all(joined) == input);
  specs[0].flags |= packets::psh;
  CHECK(sizes(join(build_all(specs))) == Sizes{1, 1, 2});
}

TEST_CASE("a packet with a wrong checksum is not joined and not changed") {
  const bool v6 = GENERATE(false, true);
  const std::uint8_t protocol = GENERATE(packets::tcp, packets::udp);
  std::vector<Octets> input = build_all(stream(a_spec(v6, protocol), 5));
  struct Case {
    std::size_t broken;
    Sizes expected;
  };
  const Case one =
      GENERATE(Case{0, {1, 4}}, Case{1, {1, 1, 3}}, Case{2, {2, 1, 2}}, Case{4, {4, 1}});
  const bool in_ip_header = !v6 && GENERATE(false, true);
  input[one.broken][in_ip_header ? 10 : input[0].size() - 1] ^= 1;
  const std::vector<Joined> joined = join(input);
  CHECK(sizes(joined) == one.expected);
  CHECK(split_all(joined) == input);
}

TEST_CASE("a packet whose checksum segmentation would write differently is not joined") {
  // TCP and IPv4: 0xffff is never computed, but verifies where 0 does. UDP: 0 means no checksum,
  // but verifies where 0xffff does.
  struct Case {
    std::uint8_t protocol;
    std::size_t field;
    std::uint16_t computed;
    std::uint16_t written;
  };
  const Case one = GENERATE(Case{packets::tcp, 10, 0, 0xffff}, Case{packets::tcp, 36, 0, 0xffff},
                            Case{packets::udp, 26, 0xffff, 0});
  std::vector<Spec> specs = stream(a_spec(false, one.protocol), 2);
  Octets head;
  for (unsigned filler = 0; filler <= 0xffff; ++filler) {
    // One free word for each checksum: TOS with TTL, and the first word of the payload.
    for (Spec& spec : specs) {
      spec.tos = static_cast<std::uint8_t>(filler >> 8);
      spec.ttl = static_cast<std::uint8_t>(filler);
      store_be16(spec.payload.data(), static_cast<std::uint16_t>(filler));
    }
    head = packets::build(specs[0]);
    if (load_be16(&head[one.field]) == one.computed) break;
  }
  REQUIRE(load_be16(&head[one.field]) == one.computed);
  CHECK(sizes(join({head, packets::build(specs[1])})) == Sizes{2});

  store_be16(&head[one.field], one.written);
  const std::vector<Octets> input{head, packets::build(specs[1])};
  const std::vector<Joined> joined = join(input);
  CHECK(sizes(joined) == Sizes{1, 1});
  CHECK(split_all(joined) == input);
}
