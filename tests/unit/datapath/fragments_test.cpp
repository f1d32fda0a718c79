#include "routevpn/datapath/fragments.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;

namespace {

using Octets = std::vector<std::uint8_t>;

Octets octets(std::size_t length, std::mt19937::result_type seed) {
  Octets bytes(length);
  std::mt19937 random(seed);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

// Fragments these packets. Checks that an earlier packet in the batch is unchanged.
std::vector<Octets> fragments_of(Fragmenter& fragmenter, const std::vector<Octets>& packets,
                                 std::size_t limit) {
  inside::OutboundBatch batch(1 << 20, 4096);
  batch.clear(21, 16);
  std::fill_n(batch.append(2000), 2000, std::uint8_t{7});
  for (const auto& packet : packets) {
    std::copy(packet.begin(), packet.end(), batch.append(packet.size()));
  }
  CHECK(fragmenter.split(batch, 1, limit) == 0);
  CHECK(batch.packets()[0].length == 2000);
  std::vector<Octets> fragments;
  for (const auto& fragment : batch.packets().subspan(1)) {
    CHECK(fragment.length <= limit);
    fragments.emplace_back(fragment.data, fragment.data + fragment.length);
  }
  return fragments;
}

}  // namespace

TEST_CASE("fragments in any order are reassembled to the packet") {
  const std::size_t limit = GENERATE(511U, 1195U, 1215U);
  const std::size_t length = GENERATE(1216U, 1280U, 1423U, 1500U, 9000U, 16384U);
  Fragmenter fragmenter;
  const auto packet = octets(length, 1);
  auto fragments = fragments_of(fragmenter, {packet}, limit);
  CHECK(fragments.size() == (length + limit - 9) / (limit - 8));
  std::shuffle(fragments.begin(), fragments.end(), std::mt19937(9));
  Reassembler reassembler;
  for (std::size_t i = 0; i < fragments.size(); ++i) {
    const auto result = reassembler.add(1, fragments[i], inside::Ecn::not_ect);
    CHECK_FALSE(result.fault);
    REQUIRE(result.packet.empty() == (i + 1 < fragments.size()));
    if (!result.packet.empty()) CHECK(Octets(result.packet.begin(), result.packet.end()) == packet);
  }
}

TEST_CASE("packets that fit stay whole, and the order of packets stays") {
  Fragmenter fragmenter;
  const std::vector<Octets> packets = {octets(1400, 1), octets(600, 2), octets(1400, 3)};
  const auto fragments = fragments_of(fragmenter, packets, 1200);
  REQUIRE(fragments.size() == 5);
  CHECK(fragments[2] == packets[1]);
  CHECK(fragments[0].size() == fragments[1].size());
  CHECK(fragmenter.packets_fragmented() == 2);
  std::uint64_t count = 1;
  std::uint64_t bytes = 10;
  fragmenter.subtract_surplus(count, bytes);
  CHECK(count == 0);
  CHECK(bytes == 0);
  count = 4;
  bytes = 3400 + 4 * 8 - 10;
  fragmenter.subtract_surplus(count, bytes);
  CHECK(count == 3);
  CHECK(bytes == 3400);
}

TEST_CASE("fragmentation returns the number of packets without room in the batch") {
  Fragmenter fragmenter;
  inside::OutboundBatch batch(3000, 3);
  batch.clear(21, 16);
  for (int i = 0; i < 2; ++i) std::fill_n(batch.append(1400), 1400, std::uint8_t{1});
  CHECK(fragmenter.split(batch, 0, 1000) == 1);
  CHECK(batch.packets().size() == 2);
}

TEST_CASE("fragments of sixteen packets may be mixed") {
  Fragmenter fragmenter;
  std::vector<Octets> packets;
  for (unsigned i = 0; i < 16; ++i) packets.push_back(octets(3000 + i, i));
  auto fragments = fragments_of(fragmenter, packets, 1200);
  std::shuffle(fragments.begin(), fragments.end(), std::mt19937(5));
  Reassembler reassembler;
  std::vector<Octets> joined;
  for (const auto& fragment : fragments) {
    const auto result = reassembler.add(1, fragment, inside::Ecn::not_ect);
    CHECK_FALSE(result.fault);
    if (!result.packet.empty()) joined.emplace_back(result.packet.begin(), result.packet.end());
  }
  std::ranges::sort(joined, {}, &Octets::size);  // their lengths differ
  CHECK(joined == packets);
}

TEST_CASE("a seventeenth incomplete packet discards the oldest, which is counted") {
  Fragmenter fragmenter;
  Reassembler reassembler;
  for (unsigned i = 0; i < 16; ++i) {
    CHECK_FALSE(
        reassembler
            .add(1, fragments_of(fragmenter, {octets(1400, i)}, 1200)[0], inside::Ecn::not_ect)
            .fault);
  }
  const auto newest = fragments_of(fragmenter, {octets(1400, 99)}, 1200);
  CHECK(reassembler.add(1, newest[0], inside::Ecn::not_ect).fault == Drop::payload_incomplete);
  CHECK(reassembler.add(1, newest[1], inside::Ecn::not_ect).packet.size() == 1400);
}

TEST_CASE("a packet number that wraps around belongs to another packet") {
  Fragmenter fragmenter;
  Reassembler reassembler;
  // Small packets, because 65,535 others follow.
  reassembler.add(1, fragments_of(fragmenter, {octets(60, 0)}, 50)[0], inside::Ecn::not_ect);
  const std::vector<Octets> others(1285, octets(60, 1));
  unsigned whole = 0;
  for (int batch = 0; batch < 51; ++batch) {
    const auto fragments = fragments_of(fragmenter, others, 50);
    REQUIRE(fragments.size() == 2 * others.size());
    for (std::size_t i = 0; i < fragments.size(); i += 2) {
      reassembler.release();
      reassembler.add(1, fragments[i], inside::Ecn::not_ect);
      const auto result = reassembler.add(1, fragments[i + 1], inside::Ecn::not_ect);
      if (result.packet.size() == 60) ++whole;
    }
  }
  CHECK(whole == 65535);
  const auto wanted = octets(60, 65536);
  const auto fragments = fragments_of(fragmenter, {wanted}, 50);
  const auto first = reassembler.add(1, fragments[0], inside::Ecn::not_ect);
  CHECK(first.fault == Drop::payload_incomplete);
  CHECK(first.packet.empty());
  CHECK(std::ranges::equal(reassembler.add(1, fragments[1], inside::Ecn::not_ect).packet, wanted));
}

TEST_CASE("fragments of different associations are not reassembled") {
  Fragmenter one;
  Fragmenter other;
  const auto first = fragments_of(one, {octets(1400, 1)}, 1200);
  const auto second = fragments_of(other, {octets(1400, 2)}, 1200);
  Reassembler reassembler;
  reassembler.add(1, first[0], inside::Ecn::not_ect);
  CHECK(reassembler.add(2, second[1], inside::Ecn::not_ect).packet.empty());
  CHECK(reassembler.add(1, first[1], inside::Ecn::not_ect).packet.size() == 1400);
}

TEST_CASE("a congestion mark on one fragment marks the packet") {
  const auto marked = GENERATE(0U, 1U, 2U);
  Fragmenter fragmenter;
  Reassembler reassembler;
  const auto fragments = fragments_of(fragmenter, {octets(1400, 1)}, 700);
  REQUIRE(fragments.size() == 3);
  Reassembler::Result result;
  for (unsigned i = 0; i < 3; ++i) {
    result =
        reassembler.add(1, fragments[i], i == marked ? inside::Ecn::congested : inside::Ecn::ect_0);
  }
  CHECK(result.packet.size() == 1400);
  CHECK(result.outer_ecn == inside::Ecn::congested);
}

TEST_CASE("fragments with contradicting lengths are refused") {
  Reassembler reassembler;
  const auto refused = [&](const Octets& payload) {
    const auto result = reassembler.add(1, payload, inside::Ecn::not_ect);
    return result.fault == Drop::payload_malformed && result.packet.empty();
  };
  CHECK(refused({4}));
  CHECK(refused({4, 0, 0, 0, 0, 0, 0, 0}));              // no payload
  CHECK(refused({4, 0, 0, 0, 0, 0, 0, 1, 9, 9}));        // longer than the packet
  CHECK(refused({4, 0, 0, 0, 0, 9, 0, 10, 9, 9}));       // beyond its end
  CHECK(refused({4, 0, 0, 0, 0, 0, 0x40, 0x01, 9, 9}));  // above maximum_mtu
  CHECK(refused({4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 9}));
}

TEST_CASE("random fragments are refused or reassembled within limits") {
  Reassembler reassembler;
  std::mt19937 random(3);
  for (unsigned i = 0; i < 200'000; ++i) {
    Octets payload = octets(1 + random() % 40, random());
    payload[0] = fragment_kind;
    if (payload.size() > 7 && i % 2 == 0) {  // small numbers, so that some belong together
      for (const auto at : {2U, 4U, 6U}) payload[at] = 0;
      for (const auto at : {3U, 5U, 7U}) payload[at] &= 0x3f;
    }
    const auto result = reassembler.add(1 + i % 2, payload, inside::Ecn::not_ect);
    if (!result.packet.empty()) CHECK(result.packet.size() <= 16384);
    if (i % 100 == 0) reassembler.release();
  }
}

TEST_CASE("a lane fragments packets above its payload limit, and the peer reassembles them") {
  LanePair pair;
  pair.a.command(LimitPayload{700});
  const auto whole = udp_packet(1, 700);
  CHECK(pair.a.send(whole).size() == 1);
  const auto large = udp_packet(2, 1380);
  const auto datagrams = pair.a.send(large);
  REQUIRE(datagrams.size() == 2);
  for (const auto& datagram : datagrams) CHECK(datagram.size() <= 700 + 37);
  CHECK(pair.b.receive(datagrams[1], west).empty());
  CHECK(pair.b.receive(datagrams[0], west) == std::vector<Packet>{large});
  CHECK(pair.a.counters.tx_fragmented == 1);
  // Above the interface's MTU, which fell while the packet waited.
  CHECK(pair.a.send(udp_packet(3, 1401)).size() == 3);
}

TEST_CASE("a plain peer gets no fragments") {
  auto both = keys(7);
  both.initiator.control_messages = false;
  End a(east);
  a.install(1, both.initiator, true);
  a.command(LimitPayload{700});
  CHECK(a.send(udp_packet(1, 1400)).size() == 1);
  CHECK(a.send(udp_packet(1, 1401)).empty());
  CHECK(a.drops(Drop::inside_too_big) == 1);
}

TEST_CASE("fragmented packets are counted as packets") {
  LanePair pair;
  pair.a.command(LimitPayload{700});
  for (int i = 0; i < 3; ++i) {
    auto packet = udp_packet(1, 1380);
    pair.a.lane.from_inside({}, packet, 1400, epoch);
  }
  for (const auto& run : pair.a.lane.seal(epoch)) pair.a.lane.count_sent(run, run.bytes);
  pair.a.lane.sent();
  CHECK(pair.a.counters.tx_packets == 3);
  CHECK(pair.a.counters.tx_bytes == 3 * 1380);
}

TEST_CASE("an echo request is padded to the requested size, its reply is not") {
  LanePair pair;
  const std::uint32_t padded = GENERATE(0U, 20U, 21U, 1400U, 16384U);
  pair.a.command(SendControl{{ControlMessage::Kind::echo_request, path_probe | 5}, padded});
  const auto request = pair.a.control();
  REQUIRE(request.size() == 1);
  CHECK(request[0].size() == std::max<std::size_t>(padded, control_message_bytes) + 37);
  pair.b.receive(request[0], west);
  const auto answer = pair.b.control();
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].size() == control_message_bytes + 37);
  pair.a.receive(answer[0], east);
  const auto events = pair.a.events<EchoReplied>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].sequence == (path_probe | 5));
  CHECK(events[0].received == 1);  // LanePair sent one
}

// Fragments in shorter records than any whole packet needs, each of which completes a packet.
TEST_CASE("packets beyond the batch of one receive are dropped and counted") {
  constexpr auto suite = record::CipherSuite::chacha20_poly1305;  // no explicit nonce
  const Keys both = keys(5, suite);
  End b(west);
  b.install(1, both.acceptor, false);
  record::Sealer sealer(record::CryptoBackend::openssl, suite, both.initiator.send, 1025, 0, 8192);
  const auto sealed = [&](const std::vector<Octets>& payloads) {
    inside::OutboundBatch batch(Lane::receive_bytes, payloads.size());
    batch.clear(record::headroom(suite), record::tailroom);
    for (const auto& payload : payloads) {
      std::copy(payload.begin(), payload.end(), batch.append(payload.size()));
    }
    REQUIRE(sealer.seal(batch.packets()) == payloads.size());
    const std::uint8_t* const data = batch.packets()[0].data - batch.headroom();
    return Datagram(data, data + (Lane::receive_bytes - batch.free_bytes()));
  };
  const Octets packet = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
  std::vector<Octets> starts;
  std::vector<Octets> payloads;
  for (std::uint8_t i = 0; i < 16; ++i) {
    starts.push_back({fragment_kind, 0, 0, i, 0, 0, 0, 20});
    starts.back().insert(starts.back().end(), packet.begin(), packet.end() - 1);
    payloads.push_back({fragment_kind, 0, 0, i, 0, 19, 0, 20, packet.back()});
  }
  CHECK(b.receive(sealed(starts), west).empty());
  const std::size_t whole = (Lane::receive_bytes - 16 * (13 + 8 + 1 + 16)) / (13 + 20 + 16);
  payloads.insert(payloads.end(), whole, packet);
  const std::size_t capacity = Lane::receive_bytes / (13 + 20 + 16) + 1;
  CHECK(b.receive(sealed(payloads), west).size() == capacity);
  CHECK(b.drops(Drop::payload_batch_full) == 16 + whole - capacity);
  CHECK(b.drops(Drop::payload_batch_full) == 3);
  CHECK(all_drops(b) == 3);
}
