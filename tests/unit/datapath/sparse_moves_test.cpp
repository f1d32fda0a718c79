// What a move of the peer, a restart and a rekey do to the sparse flow, and it to the endpoint.
#include "catch.hpp"
#include "sparse_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;
using Kind = ControlMessage::Kind;

namespace {

// A second later the initiator's NAT has changed both ports, and the bulk flow has been heard from
// the new one.
void rebind(SparsePair& pair) {
  pair.bulk_at.remote.port = 1900;
  pair.sparse_at.remote.port = 1901;
  pair.at(epoch + 1s);
  pair.drain(pair.a);
}

}  // namespace

TEST_CASE("the peer's address for the sparse flow may change, and nothing else moves") {
  FoundPair pair;
  pair.sparse_at.remote.port = 1999;  // its NAT forgot the flow
  const bool by_request = GENERATE(true, false);
  pair.at(epoch + 1s);
  if (by_request) {
    pair.find_sparse();
  } else {
    for (const auto& sent : pair.packet(pair.a, udp_packet(1))) {
      CHECK(pair.to_b(sent) == std::vector<Packet>{udp_packet(1)});
    }
    pair.exchange();
  }
  pair.at(epoch + 2s);
  const auto reports = reports_of(pair.b);
  REQUIRE(reports.changes.size() == 1);
  CHECK(reports.changes[0].to == pair.sparse_at);
  CHECK(reports.roams.empty());
  // As large as before.
  for (const std::size_t bytes : {std::size_t{100}, SparsePair::limit}) {
    const auto sent = pair.packet(pair.b, udp_packet(1, bytes));
    CHECK(sent.at(0).to == pair.sparse_at);
    CHECK(sent.at(0).flow == UdpFlow::sparse);
  }
  CHECK(endpoint_of_b(pair) == west);
}

TEST_CASE("datagrams of the sparse flow neither move the endpoint nor count as heard") {
  FoundPair pair;
  const auto socket = GENERATE(UdpFlow::bulk, UdpFlow::sparse);
  const Time heard_a = pair.a.counters.last_heard.load();
  const Time heard_b = pair.b.counters.last_heard.load();
  for (int i = 1; i <= 100; ++i) {
    pair.at(epoch + i * 10ms);
    for (const auto& sent : pair.packet(pair.a, udp_packet(1))) {
      REQUIRE(sent.flow == UdpFlow::sparse);
      CHECK(pair.b.receive(sent.datagram, second_port, pair.now(), 0, socket).size() == 1);
    }
    for (const auto& sent : pair.packet(pair.b, udp_packet(1))) pair.to_a(sent);
    for (const auto& sent : pair.control(pair.a)) pair.to_b(sent);
    for (const auto& sent : pair.control(pair.b)) {
      CHECK(sent.to == second_port);
      pair.to_a(sent);
    }
  }
  CHECK(pair.a.counters.last_heard.load() == heard_a);
  CHECK(pair.b.counters.last_heard.load() == heard_b);
  CHECK(pair.a.events<PeerRoamed>().empty());
  CHECK(pair.b.events<PeerRoamed>().empty());
  CHECK(endpoint_of_b(pair) == west);
  // A record of the bulk flow counts.
  make_bulk(pair, pair.a, 9);
  for (const auto& sent : pair.packet(pair.a, udp_packet(1, 1390))) pair.to_b(sent);
  pair.drain(pair.a);
  CHECK(pair.b.counters.last_heard.load() == pair.now());
  CHECK(pair.a.counters.last_heard.load() == pair.now());
}

TEST_CASE("after a roam of the endpoint the sparse flow is lost and found again") {
  FoundPair pair;
  rebind(pair);
  pair.exchange();
  const auto roams = pair.b.events<PeerRoamed>();
  REQUIRE(roams.size() == 1);
  CHECK(roams[0].to == pair.bulk_at);
  CHECK(pair.flow_of(pair.b, 1) == UdpFlow::bulk);
  pair.at(epoch + 2s);
  pair.find_sparse();
  const auto sent = pair.packet(pair.b, udp_packet(1));
  CHECK(sent.at(0).to == pair.sparse_at);
  CHECK(pair.to_a(sent.at(0)).size() == 1);
}

TEST_CASE("a roam reports the lost flow and then the found one") {
  FoundPair pair;
  rebind(pair);
  pair.find_sparse();
  const auto changed = pair.b.events<SparseFlowChanged>();
  REQUIRE(changed.size() == 2);
  CHECK_FALSE(changed[0].to);
  CHECK(changed[1].to == pair.sparse_at);
  CHECK(pair.a.events<SparseFlowChanged>().empty());  // its peer is where it was
}

TEST_CASE("records of the sparse flow from a new address move the endpoint to the first port") {
  // The peer's NAT has changed both ports, and only sparse packets are under way.
  FoundPair pair;
  pair.bulk_at.remote.port = 1900;
  pair.sparse_at.remote.port = 1901;
  for (int i = 1; i <= 20; ++i) {
    pair.at(epoch + i * 20ms);
    for (const auto& sent : pair.packet(pair.a, udp_packet(1))) {
      REQUIRE(sent.flow == UdpFlow::sparse);
      CHECK(pair.to_b(sent).size() == 1);
    }
    pair.exchange();
  }
  const auto reports = reports_of(pair.b);
  REQUIRE(reports.roams.size() == 1);
  CHECK(reports.roams[0].to == pair.bulk_at);
  REQUIRE_FALSE(reports.changes.empty());
  CHECK(reports.changes.back().to == pair.sparse_at);
  CHECK(pair.flow_of(pair.b, 2, SparsePair::limit) == UdpFlow::sparse);
}

TEST_CASE("between the moves of the sparse and of the bulk flow no datagram is lost") {
  FoundPair pair;
  pair.bulk_at.remote.port = 1900;
  pair.sparse_at.remote.port = 1901;
  pair.at(epoch + 1s);
  const auto copies_to_a = [&pair] {
    std::size_t copies = 0;
    for (const auto& sent : pair.packet(pair.b, udp_packet(1, 1000))) {
      const auto delivered = pair.to_a(sent).size();
      if (sent.counted) CHECK(sent.to == west);  // where the peer is not any more
      if (!sent.counted) copies += delivered;
    }
    return copies;
  };
  for (const auto& sent : pair.packet(pair.a, udp_packet(1, 1000))) pair.to_b(sent);
  CHECK(copies_to_a() == 1);
  // The challenge of b, and the reply without what shows the bulk flow.
  for (const auto& sent : pair.control(pair.b)) pair.to_a(sent);
  for (const auto& sent : pair.control(pair.a)) {
    if (sent.flow == UdpFlow::sparse) pair.to_b(sent);
  }
  pair.control(pair.b);
  REQUIRE(reports_of(pair.b).roams.empty());
  for (int i = 0; i < 5; ++i) CHECK(copies_to_a() == 1);

  SECTION("until the bulk flow is heard") {
    pair.at(pair.now() + 20ms);
    pair.a.lane.seal(pair.now());
    pair.exchange();
    REQUIRE(reports_of(pair.b).roams.size() == 1);
    for (const auto& sent : pair.packet(pair.b, udp_packet(1, 1000))) CHECK(sent.counted);
  }
  SECTION("for a limited time") {
    pair.at(pair.now() + SparseFlow::copy_time);
    CHECK(copies_to_a() == 0);
  }
}

TEST_CASE("a restarted acceptor does not take the second port for its peer's endpoint") {
  FoundPair pair;
  const auto both = sparse_keys(50);
  End restarted(west);
  restarted.install(1, both.acceptor, false);
  pair.a.install(2, both.initiator, true);
  for (int i = 1; i <= 20; ++i) {
    pair.at(epoch + i * 20ms);
    restarted.now = pair.now();
    for (const auto& sent : pair.packet(pair.a, udp_packet(1))) {
      const auto from = sent.flow == UdpFlow::sparse ? second_port : west;
      CHECK(restarted.receive(sent.datagram, from, pair.now()).size() == 1);
    }
    for (bool busy = true; busy;) {
      const auto from_b = SparsePair::control(restarted);
      const auto from_a = SparsePair::control(pair.a);
      busy = !from_b.empty() || !from_a.empty();
      for (const auto& sent : from_b) pair.to_a(sent);
      for (const auto& sent : from_a) {
        restarted.receive(sent.datagram, sent.flow == UdpFlow::sparse ? second_port : west,
                          pair.now());
      }
    }
  }
  CHECK(restarted.events<PeerRoamed>().empty());
}

TEST_CASE("a rekey does not interrupt the sparse flow") {
  FoundPair pair;
  const auto both = sparse_keys(60);
  pair.b.install(2, both.acceptor, false);
  pair.a.install(2, both.initiator, true);
  const auto from_a = pair.packet(pair.a, udp_packet(1));
  CHECK(from_a.at(0).flow == UdpFlow::sparse);
  CHECK(pair.to_b(from_a.at(0)).size() == 1);
  const auto from_b = pair.packet(pair.b, udp_packet(1));
  CHECK(from_b.at(0).flow == UdpFlow::sparse);
  CHECK(pair.to_a(from_b.at(0)).size() == 1);
  pair.a.command(RetireAssociation{1});
  pair.b.command(RetireAssociation{1});
  CHECK(pair.flow_of(pair.a, 1) == UdpFlow::sparse);
  CHECK(pair.flow_of(pair.b, 1) == UdpFlow::sparse);
  CHECK(pair.b.events<PeerRoamed>().empty());
}

TEST_CASE("a rekey with a peer that does not know the flow ends its use") {
  FoundPair pair;
  const auto both = keys(60);
  pair.b.install(2, both.acceptor, false);
  pair.a.install(2, both.initiator, true);
  CHECK(pair.flow_of(pair.a, 1) == UdpFlow::bulk);
  pair.drain(pair.a);
  CHECK(pair.flow_of(pair.b, 1) == UdpFlow::bulk);
}

TEST_CASE("with its last association the sparse flow is lost") {
  FoundPair pair;
  for (End* const end : {&pair.a, &pair.b}) {
    end->command(RetireAssociation{1});
    const auto changed = end->events<SparseFlowChanged>();
    REQUIRE(changed.size() == 1);
    CHECK_FALSE(changed[0].to);
  }
}

TEST_CASE("a peer whose new bulk flow has the address of its old sparse flow is heard") {
  FoundPair pair;
  const auto both = sparse_keys(70);
  pair.b.peer = second_port;  // the restarted initiator's first port is the old second one
  pair.b.install(2, both.acceptor, false);
  End restarted(east);
  restarted.install(1, both.initiator, true);
  pair.at(epoch + 1s);
  restarted.now = pair.now();
  restarted.command(SendControl{{Kind::echo_request, 7}});
  for (const auto& sent : SparsePair::control(restarted)) {
    pair.b.receive(sent.datagram, second_port, pair.now(), 0, UdpFlow::sparse);
  }
  CHECK(pair.b.counters.last_heard.load() == pair.now());
  for (const auto& sent : pair.packet(pair.b, udp_packet(1))) {
    CHECK(sent.to == second_port);
    CHECK(restarted.receive(sent.datagram, east, pair.now()).size() == 1);
  }
}

TEST_CASE("a NAT that swaps the two ports never silences the link, and each flow returns") {
  FoundPair pair;
  pair.bulk_at = second_port;
  pair.sparse_at = west;
  // Both ends as their sessions drive them, with a ping in each direction.
  for (int i = 1; i <= 6000; ++i) {
    pair.at(epoch + i * 10ms);
    for (End* const end : {&pair.a, &pair.b}) {
      if (i % 100 == 0) end->command(SendControl{{Kind::echo_request, 7}});
      if (i % 10 != 0) continue;
      std::size_t delivered = 0;
      for (const auto& sent : pair.packet(*end, udp_packet(1))) {  // with copies to a candidate
        delivered += (end == &pair.a ? pair.to_b(sent) : pair.to_a(sent)).size();
      }
      CHECK(delivered == 1);
    }
    if (i % 1500 == 0) pair.a.command(ProbeSparseFlow{});
    pair.exchange();
    CHECK(pair.now() - pair.a.counters.last_heard.load() < 2s);
    CHECK(pair.now() - pair.b.counters.last_heard.load() < 2s);
  }
  CHECK(endpoint_of_b(pair) == second_port);
  pair.at(pair.now() + 1s);
  pair.drain(pair.b);
  pair.at(pair.now() + 1s);
  const auto sent = pair.packet(pair.b, udp_packet(1)).at(0);
  CHECK(sent.flow == UdpFlow::sparse);
  CHECK(sent.to == west);
}

TEST_CASE("a peer that has no sparse flow since the rekey may move to the address of its old one") {
  FoundPair pair;
  const auto both = keys(60);
  pair.b.install(2, both.acceptor, false);
  pair.a.install(2, both.initiator, true);
  pair.drain(pair.a);
  for (End* const end : {&pair.a, &pair.b}) end->command(RetireAssociation{1});
  pair.bulk_at = second_port;
  pair.sparse_at.remote.port = 1999;
  pair.at(epoch + 1s);
  pair.drain(pair.a);
  CHECK(endpoint_of_b(pair) == second_port);
}
