#include "routevpn/session/path_mtu.hpp"

#include "catch.hpp"
#include "simulated_path.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("the route's MTU is tried first, and is in use one round trip later") {
  Path path;
  path.begin(v6, 1500);
  CHECK(path.search.in_use() == 1280);
  CHECK(path.search.found() == 1500);
  path.run(10ms);
  CHECK(path.search.in_use() == 1500);
  CHECK(path.sizes == std::vector<unsigned>{1500});
  path.run(5min);
  CHECK(path.large_sent == 1);
}

TEST_CASE("every path MTU is found to the byte, with and without ICMP") {
  for (const bool icmp : {false, true}) {
    for (unsigned mtu = 576; mtu <= 1500; ++mtu) {
      Path path;
      path.icmp = icmp;
      path.mtu = mtu;
      path.begin(v4, 1500);
      path.run(20s);
      CAPTURE(mtu, icmp);
      REQUIRE(path.search.in_use() == mtu);
      REQUIRE(path.search.found() == mtu);
    }
  }
}

TEST_CASE("large links are searched as well as small ones") {
  const auto mtu = GENERATE(1500U, 4470U, 8999U, 9000U, 9001U, 16000U);
  Path path;
  path.mtu = mtu;
  path.begin({1280, 16469}, 9000);
  path.run(20s);
  CHECK(path.search.found() == mtu);
}

TEST_CASE("usual paths take few tries") {
  Path path;
  path.mtu = 1400;
  path.begin(v6, 1500);
  CHECK(path.settle(1400) <= 2s);
  CHECK(path.sizes.size() <= 7);
}

TEST_CASE("a path that rises is found after ten minutes, though large datagrams are checked") {
  Path path;
  path.mtu = 1280;
  path.begin(v4, 1500);
  path.run(10s);
  REQUIRE(path.search.found() == 1280);
  path.mtu = 1500;
  for (int i = 0; i < 9 * 60; ++i) {
    path.run(1s);
    path.search.check(path.now);
  }
  CHECK(path.search.found() == 1280);
  path.run(1min);
  CHECK(path.search.found() == 1500);
  CHECK(path.search.in_use() == 1500);
}

TEST_CASE("looking again: a risen path takes one round trip, one as before a few tries") {
  const auto to = GENERATE(1280U, 1281U, 1400U, 1500U);
  Path path;
  path.mtu = 1280;
  path.begin(v4, 1500);
  path.run(10s);
  REQUIRE(path.search.found() == 1280);
  path.mtu = to;
  path.sizes.clear();
  path.used.clear();
  path.search.look_again(1500, path.now);
  path.run(10ms);
  CHECK(path.search.in_use() == (to == 1500 ? 1500 : 1280));
  path.run(10s);
  CHECK(path.search.found() == to);
  if (to == 1280) CHECK(path.sizes == std::vector<unsigned>{1500, 1281});
  // What was in use never got smaller for it.
  for (const auto& [when, mtu] : path.used) CHECK(mtu >= 1280);
}

TEST_CASE("looking again while a check is under way is not forgotten") {
  Path path;
  path.mtu = 1400;
  path.begin(v6, 1500);
  path.run(10s);
  path.mtu = 1500;
  path.search.check(path.now);
  path.search.look_again(1500, path.now);
  path.run(1s);
  CHECK(path.search.found() == 1500);
}

TEST_CASE("a slow path has the time it needs") {
  Path path;
  path.round_trip = 800ms;
  path.begin(v6, 1500);
  path.run(10s);
  CHECK(path.large_sent == 1);
  CHECK(path.search.in_use() == 1500);
}

TEST_CASE("an answer that comes late corrects what was thought failed") {
  Path path;
  path.begin(v6, 1500);
  path.round_trip = 350ms;  // the prober does not know yet
  path.run(20s);
  CHECK(path.search.found() == 1500);
}

TEST_CASE("answers to nothing, and events before and after, change nothing") {
  Path path;
  CHECK_FALSE(path.search.due());
  CHECK_FALSE(path.search.answered(0, start));
  path.search.too_big(1300, start);
  path.search.check(start);
  path.search.look_again(1500, start);
  path.search.refused(1300, start);
  CHECK_FALSE(path.search.active());
  path.begin(v6, 1400);
  CHECK_FALSE(path.search.answered(0, start));
  path.search.send(start);
  CHECK_FALSE(path.search.answered(2, start));
  CHECK_FALSE(path.search.answered(3, start));
  CHECK_FALSE(path.search.answered(4000, start));
  CHECK(path.search.answered(1, start));
  CHECK(path.search.in_use() == 1280);
  path.search.end();
  CHECK_FALSE(path.search.answered(0, start));
  CHECK_FALSE(path.search.due());
  CHECK(path.search.found() == 1400);
}
