// A peer that is authenticated and hostile: it seals any payload.
#include <array>

#include "routevpn/datapath/lane.hpp"

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

// b is the lane under test; `seal` makes records of its peer.
struct HostilePeer {
  explicit HostilePeer(LanePolicy policy = {}) : b(west, std::move(policy)) {
    b.install(1, both.acceptor, false);
  }

  Datagram seal(const Packet& payload,
                record::ContentType type = record::ContentType::application_data) {
    constexpr auto suite = record::CipherSuite::aes_128_gcm;
    inside::OutboundBatch batch(payload.size() + 64, 1);
    batch.clear(record::headroom(suite), record::tailroom);
    std::copy(payload.begin(), payload.end(), batch.append(payload.size()));
    REQUIRE(sealer.seal(batch.packets(), type) == 1);
    const std::uint8_t* const data = batch.packets()[0].data - batch.headroom();
    return {data, data + batch.headroom() + payload.size() + batch.tailroom()};
  }
  Datagram seal(const ControlMessage& message) {
    Packet payload(control_message_bytes);
    encode(message, payload.data());
    return seal(payload);
  }
  Keys both = keys(3);
  record::Sealer sealer{record::CryptoBackend::openssl,
                        record::CipherSuite::aes_128_gcm,
                        both.initiator.send,
                        1025,
                        0,
                        1U << 22};
  End b;
};

}  // namespace

TEST_CASE("an echo reply with any time stamp is computed without overflow, or refused") {
  HostilePeer peer;
  const auto clock = static_cast<std::uint64_t>(epoch.time_since_epoch().count());
  const auto replies = [&](std::uint64_t stamp) {
    peer.b.receive(peer.seal({ControlMessage::Kind::echo_reply, 1, stamp}), west);
    return peer.b.events<EchoReplied>();
  };
  for (const std::uint64_t stamp :
       {std::uint64_t{0}, std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1, ~std::uint64_t{0},
        clock + 1, clock + (std::uint64_t{1} << 63), clock - 60'000'000'001}) {
    CAPTURE(stamp);
    CHECK(replies(stamp).empty());
  }
  CHECK(peer.b.drops(Drop::payload_control) == 7);
  const auto oldest = replies(clock - 60'000'000'000);
  REQUIRE(oldest.size() == 1);
  CHECK(oldest[0].round_trip == 60s);
  CHECK(replies(clock).at(0).round_trip == 0s);
}

TEST_CASE("a flood of echo requests is answered at a bounded rate, and data still passes") {
  HostilePeer peer;
  Time now = epoch;
  std::size_t replies = 0;
  std::size_t delivered = 0;
  for (int i = 0; i < 20000; ++i, now += 50us) {
    peer.b.receive(peer.seal({ControlMessage::Kind::echo_request, 1}), west, now);
    replies += peer.b.control().size();
    delivered += peer.b.receive(peer.seal(udp_packet(1)), west, now).size();
  }
  CHECK(replies >= 1000);
  CHECK(replies <= 1064);
  CHECK(delivered == 20000);
  CHECK(peer.b.drops(Drop::payload_control_limited) == 20000 - replies);
}

TEST_CASE("a flood of control messages and alerts leaves room in the queue of events") {
  HostilePeer peer;
  const auto clock = static_cast<std::uint64_t>(epoch.time_since_epoch().count());
  for (int i = 0; i < 1000; ++i) {
    peer.b.receive(peer.seal({ControlMessage::Kind::rekey_request}), west);
    peer.b.receive(peer.seal({ControlMessage::Kind::echo_reply, 1, clock}), west);
    peer.b.receive(peer.seal({1, 90}, record::ContentType::alert), west);
  }
  CHECK(peer.b.lane.announce(1, RekeyDue{}));
  std::size_t events = 0;
  for (; peer.b.mailbox.events.front() != nullptr; ++events) peer.b.mailbox.events.release();
  CHECK(events <= 66);  // with AssociationConfirmed and RekeyDue
  CHECK(peer.b.drops(Drop::payload_control_limited) == 3000 - 64);
}

TEST_CASE("fragments that never make a packet are counted, and whole packets still pass") {
  HostilePeer peer;
  for (unsigned i = 0; i < 5000; ++i) {
    Packet fragment(1000, 7);
    fragment[0] = fragment_kind;
    store_be16(&fragment[2], static_cast<std::uint16_t>(i));
    store_be16(&fragment[4], 0);
    store_be16(&fragment[6], 16384);
    CHECK(peer.b.receive(peer.seal(fragment), west).empty());
  }
  CHECK(peer.b.drops(Drop::payload_incomplete) == 5000 - 16);
  CHECK(peer.b.receive(peer.seal(udp_packet(1)), west).size() == 1);
}

TEST_CASE("inner packets with a source outside --accept are dropped, also in fragments") {
  const std::array accepted = {*IpPrefix::parse("10.0.0.0/24"),
                               *IpPrefix::parse("2001:db8:a1::/64")};
  HostilePeer peer({OuterClass(), {}, PrefixSet(accepted)});
  const auto passes = [&](const Packet& packet) {
    return !peer.b.receive(peer.seal(packet), west).empty();
  };
  auto v4 = udp_packet(1);  // from 10.0.0.1
  CHECK(passes(v4));
  v4[14] = 1;
  CHECK_FALSE(passes(v4));
  CHECK(peer.b.drops(Drop::payload_source_refused) == 1);

  Packet v6(60);
  v6[0] = 0x60;
  v6[5] = 20;
  v6[6] = 253;
  const auto source = *IpAddress::parse("2001:db8:a1::5");
  std::copy(source.bytes().begin(), source.bytes().end(), v6.begin() + 8);
  CHECK(passes(v6));
  v6[13] ^= 1;
  CHECK_FALSE(passes(v6));
  CHECK(peer.b.drops(Drop::payload_source_refused) == 2);

  for (const std::uint8_t at : {std::uint8_t{0}, std::uint8_t{50}}) {
    Packet fragment = {fragment_kind, 0, 0, 1, 0, at, 0, 100};
    fragment.insert(fragment.end(), v4.begin() + at, v4.begin() + at + 50);
    CHECK_FALSE(passes(fragment));
  }
  CHECK(peer.b.drops(Drop::payload_source_refused) == 3);
  CHECK(all_drops(peer.b) == 3);
}

// Path MTU discovery through the link needs the errors of routers without an accepted address.
TEST_CASE(
    "with --accept, an ICMP error passes if the packet that it quotes went to the peer's site") {
  const std::array accepted = {*IpPrefix::parse("10.0.0.0/24"),
                               *IpPrefix::parse("2001:db8:a1::/64")};
  HostilePeer peer({OuterClass(), {}, PrefixSet(accepted)});
  const auto passes = [&](const Packet& packet) {
    return !peer.b.receive(peer.seal(packet), west).empty();
  };
  // From 192.0.2.1, about a packet to 10.0.0.9.
  Packet v4(20 + 8 + 28);
  const Packet header = {0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 192, 0, 2, 1, 10, 9, 0, 1, 3, 4};
  std::copy(header.begin(), header.end(), v4.begin());
  v4[28] = 0x45;
  v4[44] = 10;
  v4[47] = 9;
  CHECK(passes(v4));
  const std::uint8_t refused_type = GENERATE(as<std::uint8_t>(), 0, 4, 5, 8);
  for (const auto& [at, value] : {std::pair<std::size_t, std::uint8_t>{20, refused_type},
                                  {9, std::uint8_t{17}},     // no ICMP
                                  {7, std::uint8_t{1}},      // a later fragment
                                  {28, std::uint8_t{0x65}},  // quotes another version
                                  {46, std::uint8_t{1}}}) {  // quotes a packet to 10.0.1.9
    auto other = v4;
    other[at] = value;
    CAPTURE(at);
    CHECK_FALSE(passes(other));
  }
  Packet cut(v4.begin(), v4.begin() + 47);
  cut[3] = 47;
  CHECK_FALSE(passes(cut));

  Packet v6(40 + 8 + 48);
  v6[0] = 0x60;
  v6[5] = 56;
  v6[6] = 58;
  v6[8] = 0x20;
  v6[40] = 2;  // packet too big
  v6[48] = 0x60;
  const auto destination = *IpAddress::parse("2001:db8:a1::5");
  std::copy(destination.bytes().begin(), destination.bytes().end(), v6.begin() + 72);
  CHECK(passes(v6));
  v6[40] = 137;  // a redirect
  CHECK_FALSE(passes(v6));
  v6[40] = 2;
  v6[77] ^= 1;
  CHECK_FALSE(passes(v6));
}

TEST_CASE("a reload replaces the accepted inner sources of a lane") {
  const std::array before = {*IpPrefix::parse("10.1.0.0/16")};
  const std::array after = {*IpPrefix::parse("10.0.0.0/24")};
  HostilePeer peer({OuterClass(), {}, PrefixSet(before)});
  const auto passes = [&] {  // from 10.0.0.1
    return !peer.b.receive(peer.seal(udp_packet(1)), west).empty();
  };
  CHECK_FALSE(passes());
  peer.b.command(AcceptSources{std::make_shared<PrefixSet>(after)});
  CHECK(passes());
  peer.b.command(AcceptSources{std::make_shared<PrefixSet>(before)});
  CHECK_FALSE(passes());
  peer.b.command(AcceptSources{std::make_shared<PrefixSet>()});
  CHECK(passes());
}
