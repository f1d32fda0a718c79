// Relays between the ends that make one flow of the two.
#include "catch.hpp"
#include "sparse_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;
using Kind = ControlMessage::Kind;

TEST_CASE("a relay that makes one flow of the two gets the bulk flow, whichever it relays first") {
  SparsePair pair;
  const bool is_found = GENERATE(true, false);
  if (is_found) pair.find_sparse();
  pair.forget_events();
  pair.is_relayed = true;
  pair.bulk_at.remote.port = pair.sparse_at.remote.port = 1900;
  pair.b_has_connected = GENERATE(true, false);
  const bool sparse_first = GENERATE(true, false);
  if (sparse_first && is_found) pair.to_b(pair.packet(pair.a, udp_packet(1)).at(0));
  if (sparse_first) pair.find_sparse();
  for (int i = 1; i <= 20; ++i) {
    pair.at(epoch + i * 200ms);
    pair.drain(pair.a);
    pair.drain(pair.b);
    if (i % 5 == 0) pair.find_sparse();
  }
  CHECK(endpoint_of_b(pair) == pair.bulk_at);
  CHECK(pair.flow_of(pair.a, 1) == UdpFlow::bulk);
  CHECK(pair.flow_of(pair.b, 1) == UdpFlow::bulk);
  const auto reports = reports_of(pair.b);
  CHECK(reports.roams.size() == 1);
  CHECK((reports.changes.empty() || !reports.changes.back().to));
}

TEST_CASE(
    "a relay that reaches only the second port gets few challenges, and the peer seems dead") {
  FoundPair pair;
  pair.is_relayed = pair.relay_is_fixed = true;
  pair.relayed = UdpFlow::sparse;
  pair.bulk_at.remote.port = pair.sparse_at.remote.port = 1900;
  std::size_t sent = 0;
  Time heard{};
  for (int i = 1; i <= 200; ++i) {
    pair.at(epoch + i * 10ms);
    if (i == 100) {
      heard = pair.b.counters.last_heard.load();
      sent = 0;
    }
    for (End* const end : {&pair.a, &pair.b}) {
      if (i % 10 == 0) end->command(SendControl{{Kind::echo_request, 7}});
    }
    sent += pair.exchange();
  }
  CHECK(sent < 80);  // 66 when a challenge waits for Candidates::retry, and 88 when not
  CHECK(pair.b.counters.last_heard.load() == heard);
}
