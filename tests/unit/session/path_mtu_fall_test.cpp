// The path MTU falls or seems to fall: black holes, ICMP messages true and forged, loss.
#include "routevpn/session/path_mtu.hpp"

#include "catch.hpp"
#include "simulated_path.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("with ICMP the search needs the tries of one size only") {
  Path path;
  path.icmp = true;
  path.mtu = 1400;
  path.begin(v4, 1500);
  CHECK(path.settle(1400) <= 210ms);
}

TEST_CASE("ICMP: the reported size is in use at once, and found 220 ms later") {
  Path path;
  path.icmp = true;
  path.begin(v6, 1500);
  path.run(1s);
  path.mtu = 1280;
  const Time changed = path.now;
  path.search.too_big(1280, path.now);
  CHECK(path.search.in_use() == 1280);
  CHECK(path.search.found() == 1500);
  path.settle(1280);
  CHECK(path.now - changed <= 220ms);
  CHECK(path.search.in_use() == 1280);
  path.run(5s);
  CHECK(path.search.found() == 1280);
}

TEST_CASE("ICMP: a smaller size is used at once while a larger one is searched") {
  Path path;
  path.begin(v4, 1400);
  path.mtu = 1400;
  path.run(1s);
  REQUIRE(path.search.found() == 1400);
  path.search.search_again(1500, path.now);
  path.run(150ms);
  path.icmp = true;
  path.mtu = 1280;
  const Time changed = path.now;
  path.search.too_big(1280, path.now);
  CHECK(path.search.in_use() == 1280);
  path.settle(1280);
  CHECK(path.now - changed <= 420ms);
  path.run(5s);
  CHECK(path.search.found() == 1280);
}

TEST_CASE("replies from an earlier path prove nothing") {
  Path path;
  path.begin(v4, 1500);
  path.run(1s);
  path.search.check(path.now);
  const auto probes = path.search.send(path.now);
  const auto sequence = probes[0].sequence;
  path.mtu = 1280;
  path.begin(v4, 1280);
  CHECK_FALSE(path.search.answered(sequence, path.now));
  path.run(5s);
  CHECK(path.search.found() == 1280);
}

TEST_CASE("a forged ICMP message causes one round trip of small datagrams and changes no result") {
  Path path;
  path.begin(v4, 1500);
  path.run(1s);
  path.search.too_big(576, path.now);
  CHECK(path.search.in_use() == 576);
  path.run(10ms);
  CHECK(path.search.in_use() == 1500);
  // Further ICMP messages are ignored for 1 s.
  path.search.too_big(700, path.now);
  CHECK(path.search.in_use() == 1500);
  const auto sent = path.large_sent;
  path.run(900ms);
  CHECK(path.large_sent == sent);
  CHECK(path.search.found() == 1500);
  path.run(1s);
  path.search.too_big(700, path.now);
  CHECK(path.search.in_use() == 700);
  path.run(1s);
  CHECK(path.search.found() == 1500);
}

TEST_CASE(
    "a reply that is in flight when the ICMP message arrives does not contradict the message") {
  Path path;
  path.icmp = true;
  path.begin(v6, 1500);
  path.run(1s);
  path.search.check(path.now);
  path.run(0ms);
  path.mtu = 1280;
  path.search.too_big(1280, path.now);
  CHECK(path.settle(1280) <= 220ms);
  for (const auto& [when, mtu] : path.used) CHECK((when < start + 1s || mtu == 1280));
}

TEST_CASE("ICMP messages with a wrong size or none do not hide the right one") {
  const auto reported = GENERATE(0U, 68U, 600U, 1350U, 1450U, 1499U, 1500U, 9000U);
  Path path;
  path.begin(v4, 1500);
  path.run(1s);
  path.mtu = 1400;
  path.search.too_big(reported, path.now);
  if (reported >= 1500) path.search.check(path.now);  // the message is ignored
  path.run(10s);
  // A reported size below the MTU passes and is the result until the next search.
  const bool smaller = reported >= 576 && reported < 1400;
  CHECK(path.search.found() == (smaller ? reported : 1400));
  path.search.search_again(1500, path.now);
  path.run(10s);
  CHECK(path.search.found() == 1400);
}

TEST_CASE(
    "a black hole lowers the size after one unanswered check, and the MTU is found within 6 s") {
  const auto [range, to] = GENERATE(table<PathMtu::Range, unsigned>(
      {{v6, 1280U}, {v4, 1280U}, {v6, 1400U}, {v4, 1400U}, {v4, 576U}, {v4, 1006U}}));
  Path path;
  path.begin(range, 1500);
  path.run(1s);
  path.mtu = to;
  path.search.check(path.now);
  const Time changed = path.now;
  path.run(110ms);
  CHECK(path.search.in_use() == range.least);
  CHECK(path.search.found() == 1500);
  path.settle(to);
  CHECK(path.search.found() == to);
  CHECK(path.now - changed <= 6s);
  CHECK(path.search.in_use() == to);
}

TEST_CASE("a check that passes costs one large datagram, and a path without checks costs none") {
  Path path;
  path.begin(v6, 1500);
  path.run(1s);
  const auto sent = path.large_sent;
  path.run(9min);
  CHECK(path.large_sent == sent);
  path.search.check(path.now);
  path.run(1s);
  CHECK(path.large_sent == sent + 1);
  CHECK(path.search.in_use() == 1500);
}

TEST_CASE("the least size is not checked") {
  Path path;
  path.mtu = 1280;
  path.begin(v6, 1500);
  path.run(10s);
  REQUIRE(path.search.found() == 1280);
  path.search.check(path.now);
  CHECK(path.search.due() > path.now + 1min);
  path.search.too_big(576, path.now);
  CHECK(path.search.in_use() == 1280);
}

TEST_CASE("a refusal by our own interface lowers the size at once") {
  Path path;
  path.begin(v6, 1500);
  path.run(1s);
  path.mtu = 1400;
  path.search.refused(1400, path.now);
  CHECK(path.search.in_use() == 1280);
  path.run(20ms);
  CHECK(path.search.in_use() == 1400);
  CHECK(path.search.found() == 1400);
  path.search.refused(1450, path.now);
  CHECK(path.search.in_use() == 1400);
  path.mtu = 1500;
  path.search.search_again(1500, path.now);
  path.run(20ms);
  CHECK(path.search.found() == 1500);
  path.search.search_again(1300, path.now);
  path.run(20ms);
  CHECK(path.search.found() == 1300);
}

TEST_CASE("a path that loses everything keeps its size") {
  Path path;
  path.begin(v6, 1500);
  path.run(1s);
  path.search.check(path.now);
  path.mtu = 0;
  const auto sent = path.large_sent;
  path.run(20s);
  CHECK(path.search.in_use() == 1500);
  CHECK(path.search.found() == 1500);
  CHECK(path.large_sent - sent <= 25);
  path.mtu = 1400;
  path.run(10s);
  CHECK(path.search.found() == 1400);
}

TEST_CASE("loss is not taken for a black hole") {
  const auto loss = GENERATE(0.01, 0.1, 0.36);
  unsigned false_alarms = 0;
  constexpr unsigned checks = 2000;
  for (unsigned seed = 0; seed < checks; ++seed) {
    Path path;
    path.random.seed(seed);
    path.begin(v6, 1500);
    path.run(100ms);
    path.loss = loss;
    path.search.set_path(path.round_trip, loss);
    path.search.check(path.now);
    path.run(10s);
    if (path.search.found() != 1500) ++false_alarms;
  }
  CHECK(false_alarms <= checks / 200);
}

TEST_CASE("an unprobed path follows ICMP messages for 10 minutes") {
  PathMtu search;
  search.begin_unprobed(v4, 1500, start);
  CHECK(search.in_use() == 1500);
  CHECK(search.send(start).empty());
  search.too_big(1300, start);
  CHECK(search.in_use() == 1300);
  search.too_big(100, start + 1min);
  CHECK(search.found() == 576);
  CHECK(search.due() == start + 11min);
  CHECK_FALSE(search.raise_due(start + 10min));
  CHECK(search.raise_due(start + 11min));
  search.search_again(1500, start + 11min);
  CHECK(search.in_use() == 1500);
  CHECK(search.found() == 1500);
}
