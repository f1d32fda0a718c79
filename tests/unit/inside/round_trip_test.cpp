// Properties over random traffic: segment() restores what join() joined, and garbage is safe.
#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "routevpn/inside/ip_packet.hpp"

#include "catch.hpp"
#include "packets.hpp"

using namespace routevpn;
using namespace routevpn::inside;
using packets::chance;
using packets::Octets;
using packets::pick;
using packets::Spec;

namespace {

// Traffic of many flows. Most packets continue their flow; each rule of joining is broken
// sometimes.
class Traffic {
 public:
  Traffic(std::uint64_t seed, std::size_t flows) : random_(seed) {
    for (std::size_t i = 0; i < flows; ++i) {
      Spec spec;
      spec.v6 = chance(random_, 2);
      spec.protocol = chance(random_, 2) ? packets::tcp : packets::udp;
      if (i > 0 && chance(random_, 12)) spec.protocol = 1;
      spec.source = static_cast<std::uint8_t>(pick(random_, 1, 3));
      spec.source_port = static_cast<std::uint16_t>(i);
      spec.id = static_cast<std::uint16_t>(random_());
      spec.sequence = static_cast<std::uint32_t>(random_());
      spec.tcp_options = packets::random_octets(random_, 4 * pick(random_, 0, 3));
      spec.payload.resize(pick(random_, 1, 300));
      flows_.push_back(spec);
    }
  }

  Octets next() {
    Spec& flow = flows_[pick(random_, 0, flows_.size() - 1)];
    Spec now = flow;
    now.payload = packets::random_octets(random_, flow.payload.size());
    if (chance(random_, 6)) vary(now);
    flow.id = static_cast<std::uint16_t>(now.id + 1);
    flow.sequence = static_cast<std::uint32_t>(now.sequence + now.payload.size());
    Octets packet = packets::build(now);
    const bool damaged = packet.size() > 20 && chance(random_, 40);
    if (damaged) packet[pick(random_, 20, packet.size() - 1)] ^= 0x10;
    return packet;
  }

 private:
  void vary(Spec& now) {
    switch (pick(random_, 0, 12)) {
      case 0:
        now.payload.resize(pick(random_, 0, now.payload.size()));
        break;
      case 1:
        now.payload.resize(now.payload.size() + 1);
        break;
      case 2:
        now.flags |= packets::psh;
        break;
      case 3:
        now.flags = static_cast<std::uint8_t>(random_());
        break;
      case 4:
        now.sequence += 1;
        break;
      case 5:
        // Never the id of the packet before, because joining does not keep equal ids.
        now.id = static_cast<std::uint16_t>(now.id + 2);
        break;
      case 6:
        now.tos = static_cast<std::uint8_t>(random_());
        break;
      case 7:
        now.ttl = 3;
        break;
      case 8:
        now.fragment = static_cast<std::uint16_t>(random_());
        break;
      case 9:
        now.window = 1;
        break;
      case 10:
        now.acknowledgment = 1;
        break;
      case 11:
        now.ip_options = now.v6 ? Octets{now.protocol, 0, 1, 4, 0, 0, 0, 0} : Octets{1, 1, 1, 0};
        break;
      default:
        now.payload.clear();
    }
  }

  std::mt19937_64 random_;
  std::vector<Spec> flows_;
};

// The key of a flow: addresses and protocol, and ports where they can be read.
std::string flow_of(const Octets& packet) {
  const bool v6 = packet[0] >> 4 == 6;
  const std::size_t addresses_at = v6 ? 8 : 12;
  const std::size_t l4_at = v6 ? 40 : std::size_t{4} * (packet[0] & 15U);
  Octets key{packet[0], packet[v6 ? 6 : 9]};
  key[0] &= 0xf0;
  key.insert(key.end(), packet.begin() + static_cast<std::ptrdiff_t>(addresses_at),
             packet.begin() + static_cast<std::ptrdiff_t>(v6 ? 40 : 20));
  const bool fragment = !v6 && (load_be16(&packet[6]) & 0x3fff) != 0;
  for (std::size_t i = l4_at; i < l4_at + 4 && i < packet.size() && !fragment; ++i) {
    key.push_back(packet[i]);
  }
  return {key.begin(), key.end()};
}

std::map<std::string, std::vector<Octets>> by_flow(const std::vector<Octets>& traffic) {
  std::map<std::string, std::vector<Octets>> result;
  for (const Octets& packet : traffic) result[flow_of(packet)].push_back(packet);
  return result;
}

}  // namespace

TEST_CASE("joined and segmented again, every flow has its bytes and its order") {
  const unsigned seed = GENERATE(range(1U, 25U));
  const std::size_t flows = GENERATE(1U, 5U, 40U, 90U);
  Traffic traffic(seed, flows);
  std::vector<Octets> input(400);
  for (Octets& packet : input) packet = traffic.next();
  const std::vector<packets::Joined> joined = packets::join(input);
  CHECK(by_flow(packets::split_all(joined)) == by_flow(input));
  CHECK(joined.size() < input.size());
  for (const packets::Joined& super : joined) {
    CHECK(ip_packet_verdict(super.packet) == IpVerdict::valid);
    CHECK((super.packets > 1) == (super.header.gso_type != vnet_gso_none));
  }
}

TEST_CASE("garbage is segmented or refused, and a refusal leaves the batch unchanged") {
  std::mt19937_64 random(GENERATE(range(1U, 6U)));
  OutboundBatch batch(worst_case_bytes, worst_case_segments);
  std::size_t accepted = 0;
  std::size_t faults = 0;
  for (int turn = 0; turn < 8000; ++turn) {
    Spec spec;
    spec.v6 = chance(random, 2);
    spec.protocol = chance(random, 2) ? packets::tcp : packets::udp;
    spec.payload = packets::random_octets(random, pick(random, 0, 400));
    packets::Super super =
        packets::build_super(spec, static_cast<std::uint16_t>(pick(random, 0, 500)));
    auto* const header = reinterpret_cast<std::uint8_t*>(&super.header);
    for (std::size_t n = pick(random, 0, 2); n > 0; --n) {
      header[pick(random, 0, sizeof super.header - 1)] = static_cast<std::uint8_t>(random());
    }
    for (std::size_t n = pick(random, 0, 3); n > 0; --n) {
      super.packet[pick(random, 0, super.packet.size() - 1)] = static_cast<std::uint8_t>(random());
    }
    if (chance(random, 4)) super.packet.resize(pick(random, 0, super.packet.size()));
    if (chance(random, 20)) super.packet = packets::random_octets(random, pick(random, 0, 100));
    super.packet.shrink_to_fit();

    if (batch.free_packets() < 10 || chance(random, 50)) batch.clear(21, 16);
    const std::size_t before = batch.packets().size();
    const std::size_t free_bytes = batch.free_bytes();
    const std::size_t mtu = pick(random, 576, 1500);
    const auto drop = segment(super.header, super.packet, mtu, batch);
    accepted += drop ? 0 : 1;
    if (drop) {
      faults += batch.packets().size() != before || batch.free_bytes() != free_bytes ? 1 : 0;
    } else {
      faults += batch.packets().size() == before ? 1 : 0;
      for (const OutboundPacket& packet : batch.packets().subspan(before)) {
        faults += packet.length > mtu ? 1 : 0;
        faults += ip_packet_verdict({packet.data, packet.length}) != IpVerdict::valid ? 1 : 0;
      }
    }
  }
  CHECK(faults == 0);
  CHECK(accepted > 500);  // enough to reach the later checks
}

TEST_CASE("garbage in IP packets comes back unchanged from join() and segment()") {
  const unsigned seed = GENERATE(range(100U, 110U));
  std::mt19937_64 random(seed);
  Traffic traffic(seed, 4);
  for (int round = 0; round < 40; ++round) {
    std::vector<Octets> input;
    while (input.size() < 60) {
      Octets packet = traffic.next();
      const bool v6 = packet[0] >> 4 == 6;
      for (std::size_t n = pick(random, 0, 2); n > 0; --n) {
        packet[pick(random, 0, std::min<std::size_t>(packet.size(), 64) - 1)] =
            static_cast<std::uint8_t>(random());
      }
      if (chance(random, 8)) packet.resize(pick(random, v6 ? 40 : 20, packet.size()));
      // Half of them get correct lengths, so that they pass ip_packet_verdict().
      if (chance(random, 2)) {
        store_be16(&packet[v6 ? 4 : 2], static_cast<std::uint16_t>(packet.size() - (v6 ? 40 : 0)));
      }
      packet.shrink_to_fit();
      if (ip_packet_verdict(packet) == IpVerdict::valid) input.push_back(packet);
    }
    const std::vector<Octets> output = packets::split_all(packets::join(input));
    CHECK(std::is_permutation(output.begin(), output.end(), input.begin(), input.end()));
  }
}
