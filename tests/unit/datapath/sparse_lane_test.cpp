// How the two ends find the sparse flow, keep it, lose it and find it again.
#include "catch.hpp"
#include "sparse_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;
using Kind = ControlMessage::Kind;

TEST_CASE("the sparse flow is found in four messages, each from and to the second port") {
  SparsePair pair;
  CHECK(pair.flow_of(pair.a, 1) == UdpFlow::bulk);
  pair.a.command(ProbeSparseFlow{});
  const auto request = pair.control(pair.a);
  REQUIRE(request.size() == 1);
  CHECK(request[0].flow == UdpFlow::sparse);
  CHECK(request[0].to == east);
  CHECK_FALSE(request[0].counted);
  CHECK(request[0].datagram.size() ==
        record::headroom(record::CipherSuite::aes_128_gcm) + SparsePair::limit + record::tailroom);

  pair.to_b(request[0]);
  const auto challenge = pair.control(pair.b);
  REQUIRE(challenge.size() == 1);
  CHECK(challenge[0].to == second_port);
  CHECK(challenge[0].datagram.size() == request[0].datagram.size());
  CHECK(pair.flow_of(pair.b, 1) == UdpFlow::bulk);
  CHECK(pair.b.events<SparseFlowChanged>().empty());

  pair.to_a(challenge[0]);
  const auto proof = pair.control(pair.a);
  REQUIRE(proof.size() == 1);
  CHECK(proof[0].flow == UdpFlow::sparse);
  CHECK(pair.flow_of(pair.a, 2) == UdpFlow::bulk);
  CHECK(pair.a.events<SparseFlowChanged>().empty());

  pair.to_b(proof[0]);
  CHECK(pair.flow_of(pair.b, 2) == UdpFlow::sparse);
  const auto found_by_b = pair.b.events<SparseFlowChanged>();
  REQUIRE(found_by_b.size() == 1);
  CHECK(found_by_b[0].to == second_port);
  const auto reply = pair.control(pair.b);
  REQUIRE_FALSE(reply.empty());
  CHECK(reply[0].to == second_port);
  CHECK(reply[0].flow == UdpFlow::sparse);

  pair.to_a(reply[0]);
  CHECK(pair.flow_of(pair.a, 3) == UdpFlow::sparse);
  const auto found_by_a = pair.a.events<SparseFlowChanged>();
  REQUIRE(found_by_a.size() == 1);
  CHECK(found_by_a[0].to == east);
  CHECK(all_drops(pair.a) + all_drops(pair.b) == 0);
}

TEST_CASE("without the peer's consent there are no requests, and its own are dropped") {
  SparsePair pair(keys(1));
  pair.a.command(ProbeSparseFlow{});
  pair.b.command(ProbeSparseFlow{});
  CHECK(pair.exchange() == 0);
  // As a peer would that does not keep to the protocol.
  for (const Kind kind : {Kind::sparse_request, Kind::sparse_reply}) {
    for (End* const end : {&pair.a, &pair.b}) {
      end->command(SendControl{{kind, 1}, SparsePair::limit});
      CHECK(pair.exchange() == 1);
    }
  }
  CHECK(pair.a.drops(Drop::payload_control) == 2);
  CHECK(pair.b.drops(Drop::payload_control) == 2);
  for (std::uint16_t port = 1; port < 10; ++port) {
    CHECK(pair.flow_of(pair.a, port) == UdpFlow::bulk);
    CHECK(pair.flow_of(pair.b, port) == UdpFlow::bulk);
    pair.at(pair.now() + 1s);
  }
  CHECK(pair.exchange() == 0);
  CHECK(reports_of(pair.a).changes.empty());
  CHECK(reports_of(pair.b).changes.empty());
}

TEST_CASE("an initiator drops the acceptor's requests and replies that come by the bulk flow") {
  FoundPair pair;
  for (const Kind kind : {Kind::sparse_request, Kind::sparse_reply}) {
    pair.b.command(SendControl{{kind, 1}});
    CHECK(pair.exchange() == 1);
  }
  CHECK(pair.a.drops(Drop::payload_control) == 2);
}

TEST_CASE("either end asks once a second while it sends, and an idle end never") {
  FoundPair pair;
  for (End* const end : {&pair.a, &pair.b}) {
    std::size_t requests = 0;
    for (int i = 0; i < 1000; ++i) {
      pair.at(pair.now() + 10ms);
      pair.flow_of(*end, 1);
      requests += pair.exchange() / 2;
    }
    CHECK(requests >= 10);
    CHECK(requests <= 11);
  }
  pair.at(pair.now() + 1h);
  CHECK(pair.exchange() == 0);
  CHECK(pair.flow_of(pair.a, 1) == UdpFlow::sparse);
  CHECK(pair.flow_of(pair.b, 1) == UdpFlow::sparse);
}

TEST_CASE("when an answer is late, packets go the bulk way until the next answer") {
  FoundPair pair;
  End& end = GENERATE(false, true) ? pair.a : pair.b;
  pair.at(epoch + 1s);
  pair.sparse_is_cut = true;
  CHECK(pair.flow_of(end, 1) == UdpFlow::sparse);  // with a request
  pair.at(epoch + 1250ms);
  pair.exchange();
  CHECK(pair.flow_of(end, 2) == UdpFlow::sparse);
  std::size_t requests = pair.exchange();
  for (int i = 1; i <= 80; ++i) {
    pair.at(epoch + 1250ms + i * 50ms);
    CHECK(pair.flow_of(end, static_cast<std::uint16_t>(10 + i)) == UdpFlow::bulk);
    requests += pair.exchange();
  }
  CHECK(requests >= 15);  // one per 250 ms in 4 s
  CHECK(requests <= 20);
  pair.sparse_is_cut = false;
  pair.at(pair.now() + 250ms);
  CHECK(pair.flow_of(end, 1) == UdpFlow::bulk);
  pair.exchange();
  CHECK(pair.flow_of(end, 3) == UdpFlow::sparse);
  CHECK(pair.flow_of(end, 11) == UdpFlow::sparse);  // nothing of a bulk flow is under way
  CHECK(pair.a.events<SparseFlowChanged>().empty());
  CHECK(pair.b.events<SparseFlowChanged>().empty());
}

TEST_CASE("the flow is lost after 10 s without an answer, and found again by a probe") {
  FoundPair pair;
  End& end = GENERATE(false, true) ? pair.a : pair.b;
  pair.sparse_is_cut = true;
  std::vector<SparseFlowChanged> changed;
  Time lost{};
  for (int i = 1; i <= 120; ++i) {
    pair.at(epoch + i * 100ms);
    pair.flow_of(end, 1);
    pair.exchange();
    for (const auto& each : end.events<SparseFlowChanged>()) {
      changed.push_back(each);
      lost = pair.now();
    }
  }
  REQUIRE(changed.size() == 1);
  CHECK_FALSE(changed[0].to);
  // The first request without an answer left within the first second.
  CHECK(lost >= epoch + 10s);
  CHECK(lost <= epoch + 11s + 250ms);
  CHECK(pair.flow_of(end, 2) == UdpFlow::bulk);
  pair.sparse_is_cut = false;
  pair.at(pair.now() + 1s);
  pair.find_sparse();
  CHECK(pair.flow_of(pair.a, 3) == UdpFlow::sparse);
  CHECK(pair.flow_of(pair.b, 3) == UdpFlow::sparse);
  REQUIRE(end.events<SparseFlowChanged>().size() == 1);
}

TEST_CASE("an event that found the mailbox full is repeated with a later request") {
  SparsePair pair;
  while (pair.b.lane.announce(0, RekeyDue{})) continue;
  pair.find_sparse();
  CHECK(pair.flow_of(pair.b, 1) == UdpFlow::sparse);
  CHECK(pair.b.events<SparseFlowChanged>().empty());
  pair.at(epoch + 1s);
  pair.find_sparse();
  const auto changed = pair.b.events<SparseFlowChanged>();
  REQUIRE(changed.size() == 1);
  CHECK(changed[0].to == second_port);
}
