#include "routevpn/inside/flow_hash.hpp"

#include <functional>
#include <map>
#include <set>

#include "routevpn/base/bytes.hpp"

#include "catch.hpp"
#include "packets.hpp"

using namespace routevpn;
using namespace routevpn::inside;
using packets::build;
using packets::Octets;
using packets::Spec;

namespace {

constexpr std::uint8_t icmp = 1;

Spec flow_of(bool v6, std::uint8_t protocol) {
  Spec spec;
  spec.v6 = v6;
  spec.protocol = protocol;
  spec.payload = packets::ascending(100);
  return spec;
}

std::optional<std::uint32_t> hash_of(const Spec& spec) {
  return flow_hash(build(spec));
}

// In memory of exactly its size, so that a sanitizer detects every access beyond.
std::optional<std::uint32_t> hash_of_first(const Octets& packet, std::size_t bytes) {
  const auto exact = std::make_unique<std::uint8_t[]>(bytes);
  std::copy_n(packet.begin(), bytes, exact.get());
  return flow_hash({exact.get(), bytes});
}

}  // namespace

TEST_CASE("every packet of a flow has the same hash") {
  const bool v6 = GENERATE(false, true);
  const auto protocol = GENERATE(packets::tcp, packets::udp, icmp);
  CAPTURE(v6, protocol);
  const Spec first = flow_of(v6, protocol);
  const auto hash = hash_of(first);
  REQUIRE(hash);
  const std::vector<std::function<void(Spec&)>> changes = {
      [](Spec& spec) { spec.payload = packets::ascending(1200); },
      [](Spec& spec) { spec.payload.clear(); },
      [](Spec& spec) { spec.payload[40] ^= 1; },
      [](Spec& spec) { spec.sequence += 1000; },
      [](Spec& spec) { spec.acknowledgment += 1000; },
      [](Spec& spec) { spec.flags = packets::syn; },
      [](Spec& spec) { spec.window = 1; },
      [](Spec& spec) { spec.tcp_options = Octets(8, 1); },
      [](Spec& spec) { spec.id = 7; },
      [](Spec& spec) { spec.fragment = 0; },  // no DF
      [](Spec& spec) { spec.tos = 0xb9; },
      [](Spec& spec) { spec.ttl = 3; },
  };
  for (const auto& change : changes) {
    Spec other = first;
    change(other);
    // ICMP has no ports: the first bytes of its payload are its own.
    CHECK(hash_of(other) == hash);
  }
}

TEST_CASE("IPv4 options do not change the hash of a flow") {
  Spec spec = flow_of(false, packets::udp);
  const auto hash = hash_of(spec);
  spec.ip_options = Octets(8, 1);
  CHECK(hash_of(spec) == hash);
}

TEST_CASE("the hash of a super-packet is that of its segments") {
  const bool v6 = GENERATE(false, true);
  const auto protocol = GENERATE(packets::tcp, packets::udp);
  Spec spec = flow_of(v6, protocol);
  spec.payload = packets::ascending(10'000);
  const auto super = packets::build_super(spec, 1200);
  const auto split = packets::split(super.header, super.packet);
  REQUIRE(split.packets.size() == 9);
  for (const auto& segment : split.packets) CHECK(flow_hash(segment) == flow_hash(super.packet));
}

TEST_CASE("every field that makes a flow changes the hash") {
  const bool v6 = GENERATE(false, true);
  const auto protocol = GENERATE(packets::tcp, packets::udp);
  const Spec first = flow_of(v6, protocol);
  const std::vector<std::function<void(Spec&)>> changes = {
      [](Spec& spec) { ++spec.source; },
      [](Spec& spec) { ++spec.destination; },
      [](Spec& spec) { std::swap(spec.source, spec.destination); },
      [](Spec& spec) { ++spec.source_port; },
      [](Spec& spec) { ++spec.destination_port; },
      [](Spec& spec) { std::swap(spec.source_port, spec.destination_port); },
      [](Spec& spec) {
        spec.protocol = spec.protocol == packets::tcp ? packets::udp : packets::tcp;
      },
  };
  std::set<std::uint32_t> hashes = {hash_of(first).value()};
  for (const auto& change : changes) {
    Spec other = first;
    change(other);
    hashes.insert(hash_of(other).value());
  }
  CHECK(hashes.size() == 1 + changes.size());
}

TEST_CASE("protocols without ports have a hash by addresses and protocol") {
  const bool v6 = GENERATE(false, true);
  const auto hash_with = [v6](std::uint8_t protocol, std::uint8_t first_byte) {
    Spec spec = flow_of(v6, protocol);
    spec.payload[0] = first_byte;
    return hash_of(spec).value();
  };
  CHECK(hash_with(icmp, 8) == hash_with(icmp, 0));
  CHECK(hash_with(icmp, 8) != hash_with(50, 8));  // ESP
}

TEST_CASE("many flows spread over the slots of the highest bits") {
  constexpr unsigned bits = 11;
  constexpr std::size_t flows = 4096;
  std::map<std::uint32_t, std::size_t> slots;
  Spec spec = flow_of(false, packets::udp);
  for (std::size_t i = 0; i < flows; ++i) {
    spec.source_port = static_cast<std::uint16_t>(20'000 + i);
    ++slots[hash_of(spec).value() >> (32 - bits)];
  }
  // At random 86 % of the slots have a flow, and the fullest has about 9.
  CHECK(slots.size() > (std::size_t{1} << bits) * 80 / 100);
  for (const auto& [slot, count] : slots) CHECK(count <= 12);
}

TEST_CASE("a fragment has no hash") {
  Spec v4 = flow_of(false, packets::udp);
  for (const auto bits : {0x2000, 0x0001, 0x1fff, 0x2001, 0x6000}) {
    v4.fragment = static_cast<std::uint16_t>(bits);
    CAPTURE(bits);
    CHECK_FALSE(hash_of(v4));
  }
  for (const auto bits : {0x4000, 0x8000, 0x0000}) {  // DF, the reserved bit, none
    v4.fragment = static_cast<std::uint16_t>(bits);
    CAPTURE(bits);
    CHECK(hash_of(v4));
  }
  Octets v6 = build(flow_of(true, packets::udp));
  v6[6] = 44;  // RFC 8200 section 4.5
  CHECK_FALSE(flow_hash(v6));
}

TEST_CASE("short packets and other protocols have no hash, and nothing beyond them is read") {
  for (const bool v6 : {false, true}) {
    const Octets packet = build(flow_of(v6, packets::tcp));
    const std::size_t header = v6 ? 40 : 20;
    for (std::size_t bytes = 0; bytes <= packet.size(); ++bytes) {
      CHECK(hash_of_first(packet, bytes).has_value() == (bytes >= header));
    }
  }
  for (unsigned version = 0; version < 16; ++version) {
    Octets packet(100, static_cast<std::uint8_t>(version << 4 | 5));
    CHECK(flow_hash(packet).has_value() == (version == 6));  // the IPv4 packet is a fragment
    packet.assign(100, 0);
    packet[0] = static_cast<std::uint8_t>(version << 4 | 5);
    CHECK(flow_hash(packet).has_value() == (version == 4 || version == 6));
  }
}

TEST_CASE("an IPv4 header length beyond the packet, or below the header, is safe") {
  Octets packet = build(flow_of(false, packets::tcp));
  for (unsigned words = 0; words < 16; ++words) {
    packet[0] = static_cast<std::uint8_t>(0x40 | words);
    for (std::size_t bytes = 20; bytes <= 64; ++bytes) CHECK(hash_of_first(packet, bytes));
  }
}
