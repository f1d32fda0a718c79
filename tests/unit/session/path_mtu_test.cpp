#include "routevpn/session/path_mtu.hpp"

#include "catch.hpp"
#include "simulated_path.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("the search tries the route's MTU first and uses it one round trip later") {
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

TEST_CASE("the search finds every path MTU to the byte, with and without ICMP") {
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

TEST_CASE("the search finds path MTUs up to 16000 bytes") {
  const auto mtu = GENERATE(1500U, 4470U, 8999U, 9000U, 9001U, 16000U);
  Path path;
  path.mtu = mtu;
  path.begin({1280, 16469}, 9000);
  path.run(20s);
  CHECK(path.search.found() == mtu);
}

TEST_CASE("a common path MTU takes at most 7 sizes") {
  Path path;
  path.mtu = 1400;
  path.begin(v6, 1500);
  CHECK(path.settle(1400) <= 2s);
  CHECK(path.sizes.size() <= 7);
}

TEST_CASE("a risen path MTU is found after 10 minutes, despite checks of the present one") {
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

TEST_CASE("search_again() finds the route's MTU in one round trip, an unchanged one with 2 sizes") {
  const auto to = GENERATE(1280U, 1281U, 1400U, 1500U);
  Path path;
  path.mtu = 1280;
  path.begin(v4, 1500);
  path.run(10s);
  REQUIRE(path.search.found() == 1280);
  path.mtu = to;
  path.sizes.clear();
  path.used.clear();
  path.search.search_again(1500, path.now);
  path.run(10ms);
  CHECK(path.search.in_use() == (to == 1500 ? 1500 : 1280));
  path.run(10s);
  CHECK(path.search.found() == to);
  if (to == 1280) CHECK(path.sizes == std::vector<unsigned>{1500, 1281});
  // The size in use does not fall during the search.
  for (const auto& [when, mtu] : path.used) CHECK(mtu >= 1280);
}

TEST_CASE("search_again() during a check takes effect after the check") {
  Path path;
  path.mtu = 1400;
  path.begin(v6, 1500);
  path.run(10s);
  path.mtu = 1500;
  path.search.check(path.now);
  path.search.search_again(1500, path.now);
  path.run(1s);
  CHECK(path.search.found() == 1500);
}

TEST_CASE("a path with a round trip of 800 ms passes with one try") {
  Path path;
  path.round_trip = 800ms;
  path.begin(v6, 1500);
  path.run(10s);
  CHECK(path.large_sent == 1);
  CHECK(path.search.in_use() == 1500);
}

TEST_CASE("a late reply corrects a failed size") {
  Path path;
  path.begin(v6, 1500);
  path.round_trip = 350ms;  // the search still uses the initial 10 ms
  path.run(20s);
  CHECK(path.search.found() == 1500);
}

TEST_CASE("replies to no request, and events while the search is off, change nothing") {
  Path path;
  CHECK_FALSE(path.search.due());
  CHECK_FALSE(path.search.answered(0, start));
  path.search.too_big(1300, start);
  path.search.check(start);
  path.search.search_again(1500, start);
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
