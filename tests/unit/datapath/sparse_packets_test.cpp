// Which packets take the sparse flow, and when an inner flow returns to it.
#include "catch.hpp"
#include "sparse_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;
using Kind = ControlMessage::Kind;

TEST_CASE("both ends send sparse packets there, to the address that was found") {
  FoundPair pair;
  pair.b_has_connected = GENERATE(true, false);
  for (std::uint8_t serial = 1; serial < 10; ++serial) {
    const auto from_a = pair.packet(pair.a, udp_packet(serial));
    REQUIRE(from_a.size() == 1);
    CHECK(from_a[0].flow == UdpFlow::sparse);
    CHECK(from_a[0].to == east);
    CHECK(pair.to_b(from_a[0]) == std::vector<Packet>{udp_packet(serial)});
    const auto from_b = pair.packet(pair.b, udp_packet(serial));
    REQUIRE(from_b.size() == 1);
    CHECK(from_b[0].flow == UdpFlow::sparse);
    CHECK(from_b[0].to == second_port);
    CHECK(pair.to_a(from_b[0]) == std::vector<Packet>{udp_packet(serial)});
  }
  pair.exchange();
  CHECK(all_drops(pair.a) + all_drops(pair.b) == 0);
}

TEST_CASE("packets of the sparse flow are counted") {
  FoundPair pair;
  for (const std::size_t bytes : {std::size_t{100}, std::size_t{1300}}) {
    auto packet = udp_packet(1, bytes);
    pair.a.lane.from_inside({}, packet, 1400, epoch);
  }
  make_bulk(pair, pair.a, 9);
  auto packet = udp_packet(1, 1300);
  pair.a.lane.from_inside({}, packet, 1400, epoch);
  std::uint64_t sparse = 0;
  for (const auto& run : pair.a.lane.seal(epoch)) {
    pair.a.lane.count_sent(run, run.bytes);
    if (run.flow == UdpFlow::sparse) sparse += run.bytes / run.segment_bytes;
  }
  CHECK(pair.a.counters.tx_sparse == sparse);
  CHECK(sparse > 0);
}

TEST_CASE("packets larger than the padding has shown go the bulk way") {
  SparsePair pair;
  pair.a.command(LimitPayload{1200});
  pair.find_sparse();
  pair.a.command(LimitPayload{1300});  // the request with the new padding is lost
  pair.control(pair.a);
  for (End* const end : {&pair.a, &pair.b}) {
    CHECK(pair.flow_of(*end, 1, 1200) == UdpFlow::sparse);
    CHECK(pair.flow_of(*end, 2, 1201) == UdpFlow::bulk);
    CHECK(pair.flow_of(*end, 2, 100) == UdpFlow::bulk);  // behind the large one
    CHECK(pair.flow_of(*end, 3, 100) == UdpFlow::sparse);
  }
  // The next padded request is answered: larger packets pass.
  pair.at(epoch + 1s);
  pair.find_sparse();
  for (End* const end : {&pair.a, &pair.b}) CHECK(pair.flow_of(*end, 4, 1300) == UdpFlow::sparse);
  CHECK(pair.flow_of(pair.b, 5, 1301) == UdpFlow::bulk);
  CHECK(pair.flow_of(pair.a, 5, 1301) == UdpFlow::sparse);  // in two fragments
}

TEST_CASE("an acceptor's limit below the request's padding is what its challenge shows") {
  SparsePair pair;
  pair.b.command(LimitPayload{1280});
  pair.find_sparse();
  CHECK(pair.flow_of(pair.a, 1, 1400) == UdpFlow::sparse);
  CHECK(pair.flow_of(pair.b, 1, 1280) == UdpFlow::sparse);
  pair.b.command(LimitPayload{1400});
  CHECK(pair.flow_of(pair.b, 2, 1281) == UdpFlow::bulk);
  pair.at(epoch + 1s);
  pair.find_sparse();
  CHECK(pair.flow_of(pair.b, 3, 1400) == UdpFlow::sparse);
}

TEST_CASE("seal() returns the sparse runs first, whatever came first from inside") {
  FoundPair pair;
  make_bulk(pair, pair.a, 9);
  pair.at(epoch + 1ms);
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{9, 1, 9, 2, 9, 3}) {
    auto packet = udp_packet(1, 200);
    store_be16(&packet[20], port);
    pair.a.lane.from_inside({}, packet, 1400, pair.now());
  }
  const auto sent = departures(pair.a.lane.seal(pair.now()));
  REQUIRE(sent.size() == 6);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    CHECK((sent[i].flow == UdpFlow::sparse) == (i < 3));
    CHECK(pair.to_b(sent[i]).size() == 1);  // one sequence space, in the order of the runs
  }
}

TEST_CASE("a flow that became bulk is sparse again after the echo of a later request") {
  FoundPair pair;
  for (End* const end : {&pair.a, &pair.b}) {
    pair.at(epoch + 1s);
    make_bulk(pair, *end, 9);
    pair.at(epoch + 1500ms);
    CHECK(pair.flow_of(*end, 9) == UdpFlow::bulk);
    pair.at(epoch + 1600ms);
    pair.drain(*end);
    pair.at(epoch + 1700ms);
    CHECK(pair.flow_of(*end, 9) == UdpFlow::sparse);
  }
}

TEST_CASE("the echo of a request that overtook a batch shows nothing of that batch") {
  FoundPair pair;
  make_bulk(pair, pair.a, 9);
  pair.at(epoch + 500ms);
  auto packet = udp_packet(1);
  store_be16(&packet[20], 9);
  pair.a.lane.from_inside({}, packet, 1400, pair.now());
  pair.a.lane.seal(pair.now());  // the socket takes nothing: the batch waits
  pair.at(epoch + 600ms);
  pair.drain(pair.a);
  pair.a.lane.sent();
  pair.at(epoch + 700ms);
  CHECK(pair.flow_of(pair.a, 9) == UdpFlow::bulk);
  pair.at(epoch + 800ms);
  pair.drain(pair.a);
  CHECK(pair.flow_of(pair.a, 9) == UdpFlow::sparse);
}

TEST_CASE("the echo of a request that was sent by the sparse flow shows nothing of the bulk way") {
  FoundPair pair;
  make_bulk(pair, pair.a, 9);
  pair.at(epoch + 600ms);
  pair.a.command(SendControl{{Kind::echo_request, 7}});
  const auto request = pair.control(pair.a).at(0);
  // A copy that overtakes the bulk flow.
  pair.b.receive(request.datagram, second_port, pair.now(), 0, UdpFlow::sparse);
  for (const auto& sent : pair.control(pair.b)) pair.to_a(sent);
  pair.at(epoch + 700ms);
  CHECK(pair.flow_of(pair.a, 9) == UdpFlow::bulk);
}

TEST_CASE("while the peer seems to move, nothing takes the sparse flow") {
  FoundPair pair;
  make_bulk(pair, pair.a, 9);
  const auto sent = pair.packet(pair.a, udp_packet(1, 1390));
  outside::Endpoint moved = west;
  moved.remote.port = 1900;
  auto bulk = udp_packet(1);
  store_be16(&bulk[20], 9);
  pair.b.receive(pair.packet(pair.a, bulk).at(0).datagram, moved);
  const auto copies = pair.packet(pair.b, udp_packet(1));
  REQUIRE(copies.size() == 2);
  CHECK(copies[0].to == west);
  CHECK(copies[1].to == moved);
  for (const auto& each : copies) CHECK(each.flow == UdpFlow::bulk);
}
