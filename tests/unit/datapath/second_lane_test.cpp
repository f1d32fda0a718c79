// What the second thread of a lane does with a packet or datagram, and what it leaves to the lane.

#include "routevpn/datapath/sparse_lane.hpp"

#include "catch.hpp"
#include "sparse_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;

namespace {

// The second thread of an end of a pair.
class Second {
 public:
  explicit Second(End& end) : end_(end), lane(end.counters, true, OuterClass()) { update(); }
  void update() { lane.set(end_.lane.sparse_view(end_.now)); }
  [[nodiscard]] bool is_open() const { return lane.view().is_open(); }

  // What leaves; nothing: the packet is left to the lane, or dropped.
  std::vector<Departure> send(Packet packet) {
    lane.from_inside({}, packet);
    const auto runs = lane.seal();
    auto all = departures(runs);
    for (const auto& run : runs) lane.count_sent(run, run.bytes);
    lane.sent();
    return all;
  }
  // Whether the datagram is handled, and not left to the lane.
  bool receive(const Datagram& datagram, const outside::Endpoint& from, std::uint8_t ecn = 0) {
    Datagram copy = datagram;
    const outside::Received received{copy, copy.size(), from, ecn};
    const bool handled = lane.from_outside(copy, received);
    CHECK(copy == datagram);
    inside_packets = 0;
    for (const auto& packet : lane.join()) inside_packets += packet.packets;
    return handled;
  }

 private:
  End& end_;

 public:
  SparseLane lane;
  std::size_t inside_packets = 0;
};

}  // namespace

TEST_CASE("the second thread carries data once the sparse flow is found at both ends") {
  SparsePair pair;
  CHECK_FALSE(Second(pair.a).is_open());
  pair.find_sparse();
  Second a(pair.a);
  Second b(pair.b);
  REQUIRE(a.is_open());
  REQUIRE(b.is_open());
  const auto there = a.send(udp_packet(1)).at(0);
  CHECK(there.flow == UdpFlow::sparse);
  CHECK(there.to.remote == east.remote);
  CHECK(b.receive(there.datagram, second_port));
  CHECK(b.inside_packets == 1);
  const auto back = b.send(udp_packet(2)).at(0);
  CHECK(back.to.remote == second_port.remote);
  CHECK(a.receive(back.datagram, east));
  CHECK(a.inside_packets == 1);
  CHECK(pair.a.counters.tx_sparse == 1);
  CHECK(all_drops(pair.a) + all_drops(pair.b) == 0);
}

TEST_CASE("the lane and its second thread share the numbers and the replay window") {
  FoundPair pair;
  Second a(pair.a);
  Second b(pair.b);
  const auto by_second = a.send(udp_packet(1)).at(0);
  const auto by_lane = pair.packet(pair.a, udp_packet(2)).at(0);
  CHECK(by_second.datagram != by_lane.datagram);
  CHECK(pair.to_b(by_second).size() == 1);
  CHECK(b.receive(by_lane.datagram, second_port));
  CHECK(b.inside_packets == 1);

  // Each was received once: the other thread knows.
  CHECK_FALSE(b.receive(by_second.datagram, second_port));
  CHECK(pair.to_b(by_lane).empty());
  CHECK(pair.to_b(by_second).empty());
  CHECK(pair.b.drops(Drop::record_replayed) == 2);
}

TEST_CASE("the second thread leaves to the lane what is not plain data of the known peer") {
  FoundPair pair;
  Second b(pair.b);
  const auto data = Second(pair.a).send(udp_packet(1)).at(0).datagram;
  SECTION("from another address") {
    CHECK_FALSE(b.receive(data, outsider));
  }
  SECTION("to another address of this host") {
    auto elsewhere = second_port;
    elsewhere.local = outsider.remote.address;
    CHECK_FALSE(b.receive(data, elsewhere));
  }
  SECTION("forged") {
    auto forged = data;
    forged.back() ^= 1;
    CHECK_FALSE(b.receive(forged, second_port));
  }
  SECTION("two records in one datagram") {
    auto two = data;
    two.insert(two.end(), data.begin(), data.end());
    CHECK_FALSE(b.receive(two, second_port));
  }
  SECTION("shorter than a record") {
    CHECK_FALSE(b.receive(Datagram(5), second_port));
  }
  SECTION("empty") {
    CHECK_FALSE(b.receive({}, second_port));
  }
  SECTION("a control message") {
    pair.a.command(ProbeSparseFlow{});
    CHECK_FALSE(b.receive(SparsePair::control(pair.a).at(0).datagram, second_port));
  }
  SECTION("a handshake record") {
    CHECK_FALSE(b.receive({22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, second_port));
  }
  CHECK(b.inside_packets == 0);
  CHECK(all_drops(pair.b) == 0);
  // The lane accepts the record: the second thread has not used up its number.
  CHECK(pair.b.receive(data, second_port, pair.now(), 0, UdpFlow::sparse).size() == 1);
}

TEST_CASE("the second thread drops what the lane would drop") {
  FoundPair pair;
  Second a(pair.a);
  Second b(pair.b);
  SECTION("a payload that is not IP") {
    auto broken = udp_packet(1);
    broken[3] = 99;  // of 100 bytes
    CHECK(a.send(broken).empty());
    CHECK(pair.a.drops(Drop::inside_malformed) == 1);
  }
  SECTION("an inner source that is not accepted") {
    const auto prefix = *IpPrefix::parse("192.168.0.0/16");
    pair.b.command(AcceptSources{std::make_shared<PrefixSet>(std::span(&prefix, 1))});
    b.update();
    CHECK(b.receive(a.send(udp_packet(1)).at(0).datagram, second_port));
    CHECK(pair.b.drops(Drop::payload_source_refused) == 1);
  }
  SECTION("a congestion mark on a packet without ECN") {
    CHECK(b.receive(a.send(udp_packet(1)).at(0).datagram, second_port, 3));
    CHECK(pair.b.drops(Drop::payload_not_ect) == 1);
  }
  SECTION("a datagram of this link") {
    auto own = udp_packet(1);
    std::copy_n(east.remote.address.bytes().data(), 4, &own[16]);
    store_be16(&own[22], east.remote.port);
    CHECK(a.send(own).empty());
    CHECK(pair.a.drops(Drop::inside_own_datagram) == 1);
  }
  CHECK(b.inside_packets == 0);
}

TEST_CASE("a packet that must be fragmented is left to the lane") {
  FoundPair pair;
  Second a(pair.a);
  auto large = udp_packet(1, 1450);
  CHECK_FALSE(a.lane.from_inside({}, large));
  CHECK(large == udp_packet(1, 1450));
  auto small = udp_packet(1, 1400);
  CHECK(a.lane.from_inside({}, small));
}

TEST_CASE("a super-packet whose segments must be fragmented is left to the lane unchanged") {
  FoundPair pair;
  Second a(pair.a);
  auto super = udp_packet(1, 3000);
  inside::VirtioNetHeader header;
  header.flags = inside::vnet_needs_checksum;
  header.gso_type = inside::vnet_gso_udp;
  header.checksum_start = 20;
  header.checksum_offset = 6;
  header.gso_bytes = SparsePair::limit - 28 + 1;
  CHECK_FALSE(a.lane.from_inside(header, super));
  CHECK(super == udp_packet(1, 3000));
  CHECK(a.lane.seal().empty());
  --header.gso_bytes;
  CHECK(a.lane.from_inside(header, super));
  CHECK(departures(a.lane.seal()).size() == 3);
}

TEST_CASE("at the record limit the packets are left to the lane, which counts them") {
  SparsePair pair;
  const Keys both = sparse_keys(9);
  pair.a.install(2, both.initiator, true, {std::nullopt, 10'000});
  pair.b.install(2, both.acceptor, true);
  pair.drain(pair.a);
  pair.find_sparse();
  Second a(pair.a);
  REQUIRE(a.is_open());
  std::size_t sent = 0;
  while (!a.send(udp_packet(1)).empty()) ++sent;
  CHECK(sent > 0);
  CHECK(sent < 10'000);
  CHECK(all_drops(pair.a) == 0);
}

TEST_CASE("the second thread rests while the lane has something to decide") {
  FoundPair pair;
  Second a(pair.a);
  Second b(pair.b);
  REQUIRE(a.is_open());
  REQUIRE(b.is_open());
  SECTION("the answer of the peer is late") {
    pair.at(epoch + SparseFlow::request_interval);
    pair.packet(pair.a, udp_packet(1));  // a request goes behind it
    REQUIRE(SparsePair::control(pair.a).size() == 1);
    const auto late = pair.a.lane.sparse_view_until();
    REQUIRE(late);
    CHECK(pair.a.lane.sparse_view(*late).is_open());
    CHECK_FALSE(pair.a.lane.sparse_view(*late + Duration{1}).is_open());
  }
  SECTION("the peer may have moved") {
    auto moved = pair.packet(pair.a, udp_packet(1)).at(0);
    for (int i = 0; i < 20; ++i) moved = pair.packet(pair.a, udp_packet(1, 1300)).at(0);
    pair.b.receive(moved.datagram, outsider);
    b.update();
    CHECK_FALSE(b.is_open());
  }
  SECTION("the association has ended") {
    pair.a.command(RetireAssociation{1});
    a.update();
    CHECK_FALSE(a.is_open());
  }
  SECTION("larger packets may pass than the flow has carried") {
    for (const auto& [end, second] : {std::pair{&pair.a, &a}, std::pair{&pair.b, &b}}) {
      end->command(LimitPayload{SparsePair::limit + 8});
      second->update();
      CHECK_FALSE(second->is_open());
      pair.exchange();  // the request that shows it
      second->update();
      CHECK(second->is_open());
    }
  }
}

TEST_CASE("during a rekey the second thread opens the records of both associations") {
  FoundPair pair;
  Second a(pair.a);
  Second b(pair.b);
  const auto before = a.send(udp_packet(1)).at(0).datagram;
  const Keys both = sparse_keys(9);
  pair.b.install(2, both.acceptor, false);
  pair.a.install(2, both.initiator, true);
  a.update();
  CHECK(a.is_open());
  CHECK(b.receive(a.send(udp_packet(3)).at(0).datagram, second_port));  // by the keys before
  pair.drain(pair.a);
  a.update();
  b.update();
  REQUIRE(a.is_open());
  REQUIRE(b.is_open());
  CHECK(b.receive(before, second_port));
  CHECK(b.receive(a.send(udp_packet(2)).at(0).datagram, second_port));
}
