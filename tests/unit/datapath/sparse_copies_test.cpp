// Copies of records that arrive first, from a stranger's address or the wrong one of the peer.
#include "catch.hpp"
#include "sparse_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;
using Kind = ControlMessage::Kind;

TEST_CASE("a copied request from a stranger's address gets one challenge and no data") {
  SparsePair pair;
  pair.a.command(ProbeSparseFlow{});
  const auto request = pair.control(pair.a).at(0);
  pair.b.receive(request.datagram, outsider);
  const auto challenge = pair.control(pair.b);
  REQUIRE(challenge.size() == 1);
  CHECK(challenge[0].to == outsider);
  CHECK(challenge[0].datagram.size() <= 3 * request.datagram.size());
  pair.b.receive(request.datagram, outsider);  // again: a replay
  CHECK(pair.control(pair.b).empty());
  CHECK(pair.b.drops(Drop::record_replayed) == 1);

  for (std::uint16_t port = 1; port < 100; ++port) {
    auto packet = udp_packet(1);
    store_be16(&packet[20], port);
    const auto sent = pair.packet(pair.b, packet);
    REQUIRE(sent.size() == 1);  // no copies to the stranger, as to a candidate of the bulk flow
    CHECK(sent[0].to == west);
    CHECK(sent[0].flow == UdpFlow::bulk);
  }
  // The stranger hands the challenge to the peer, whose reply comes from the peer's own port.
  pair.a.receive(challenge[0].datagram, east, epoch, 0, UdpFlow::sparse);
  pair.exchange();
  const auto reports = reports_of(pair.b);
  CHECK(reports.roams.empty());
  for (const auto& change : reports.changes) CHECK(change.to == second_port);
  CHECK(endpoint_of_b(pair) == west);
}

TEST_CASE("a copied request does not move a flow that is in use") {
  FoundPair pair;
  pair.at(epoch + 1s);
  pair.a.command(ProbeSparseFlow{});
  pair.b.receive(pair.control(pair.a).at(0).datagram, outsider, pair.now());
  const auto challenge = pair.control(pair.b);
  REQUIRE(challenge.size() <= 1);
  const auto sent = pair.packet(pair.b, udp_packet(1));
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].to == second_port);
  pair.at(epoch + 2s);  // the peer's next request is answered
  pair.find_sparse();
  CHECK(pair.flow_of(pair.a, 1) == UdpFlow::sparse);
  const auto reports = reports_of(pair.b);
  CHECK(reports.roams.empty());
  CHECK(reports.changes.empty());
}

TEST_CASE("requests copied from many strangers get at most three times their bytes") {
  SparsePair pair;
  std::size_t in = 0;
  std::size_t out = 0;
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    pair.at(epoch + port * 10ms);
    pair.a.command(ProbeSparseFlow{});
    const auto request = pair.control(pair.a).at(0);
    outside::Endpoint from = outsider;
    from.remote.port = port;
    pair.b.receive(request.datagram, from, pair.now());
    in += request.datagram.size();
    for (const auto& sent : pair.control(pair.b)) out += sent.datagram.size();
    for (const auto& sent : pair.packet(pair.b, udp_packet(1))) CHECK(sent.to == west);
  }
  CHECK(out <= 3 * in);
  pair.find_sparse();
  CHECK(pair.flow_of(pair.b, 1) == UdpFlow::sparse);
  CHECK(pair.b.events<PeerRoamed>().empty());
}

TEST_CASE("a request copied in the endpoint's name makes no sparse flow of the bulk flow") {
  const bool in_use = GENERATE(false, true);
  SparsePair pair;
  if (in_use) pair.find_sparse();
  pair.forget_events();
  pair.at(epoch + 5s);
  pair.a.command(ProbeSparseFlow{});
  pair.b.receive(pair.control(pair.a).at(0).datagram, west, pair.now());
  pair.exchange();
  CHECK(pair.b.events<SparseFlowChanged>().empty());
  // The peer's records are heard as before.
  make_bulk(pair, pair.a, 9);
  pair.at(epoch + 6s);
  pair.drain(pair.a);
  CHECK(pair.b.counters.last_heard.load() == pair.now());
  CHECK(endpoint_of_b(pair) == west);
}

TEST_CASE("an end whose bulk records are copied to the sparse socket still hears its peer") {
  FoundPair pair;
  pair.at(epoch + 5s);
  pair.a.command(SendControl{{Kind::echo_request, 7}});
  const auto request = pair.control(pair.a).at(0);
  SECTION("the copies of the replies arrive first at the initiator's second_port port") {
    pair.to_b(request);
    const auto reply = pair.control(pair.b).at(0);
    pair.a.receive(reply.datagram, east, pair.now(), 0, UdpFlow::sparse);
    pair.to_a(reply);  // too late
    CHECK(pair.a.counters.last_heard.load() == pair.now());
  }
  SECTION("the copies of the requests arrive first in the name of the second_port port") {
    pair.b.receive(request.datagram, second_port, pair.now(), 0, UdpFlow::sparse);
    pair.to_b(request);
    pair.exchange();
    CHECK(pair.a.counters.last_heard.load() == pair.now());
  }
}

TEST_CASE("a reply from a stranger's address or by the bulk flow opens nothing") {
  SparsePair pair;
  pair.a.command(ProbeSparseFlow{});
  pair.to_b(pair.control(pair.a).at(0));
  pair.to_a(pair.control(pair.b).at(0));
  pair.to_b(pair.control(pair.a).at(0));
  const auto reply = pair.control(pair.b).at(0);
  SECTION("from a outsider") {
    pair.a.receive(reply.datagram, outsider, epoch, 0, UdpFlow::sparse);
  }
  SECTION("by the bulk flow") {
    pair.a.receive(reply.datagram, east);
  }
  CHECK(pair.a.drops(Drop::payload_control) == 1);
  CHECK(pair.flow_of(pair.a, 1) == UdpFlow::bulk);
  CHECK(pair.a.events<SparseFlowChanged>().empty());
}
