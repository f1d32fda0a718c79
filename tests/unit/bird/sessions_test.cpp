#include "routevpn/bird/sessions.hpp"

#include "catch.hpp"

using namespace routevpn;

TEST_CASE("sessions of BIRD are read from its answer") {
  const auto sessions = bird::bgp_sessions(
      "BIRD 2.0.12 ready.\nName       Proto      Table      State  Since         Info\n"
      "device1    Device     ---        up     2026-11-28    \n\n"
      "IBGP_V2_1  BGP        ---        up     12:00:00.123  Established   \n"
      "  Description:    V2-1 through rv2-1\n"
      "  BGP state:          Established\n"
      "    Neighbor address: fe80::1%rv2-1\n"
      "  Channel ipv4\n    State:          UP\n"
      "    Routes:         3 imported, 1 filtered, 12 exported, 2 preferred\n"
      "    Route change stats:     received   rejected   filtered    ignored   accepted\n"
      "  Channel ipv6\n    State:          DOWN\n"
      "SITE_4     OSPF       ---        up     12:00:00.123  Running\n"
      "  Channel ipv4\n    State:          UP\n    Routes:         9 imported, 9 exported\n");
  REQUIRE(sessions.size() == 1);
  CHECK(sessions[0].name == "IBGP_V2_1");
  CHECK(sessions[0].state == "Established");
  CHECK(sessions[0].neighbor == "fe80::1");
  CHECK(sessions[0].zone == "rv2-1");
  REQUIRE(sessions[0].routes.size() == 1);
  CHECK(sessions[0].routes.at("ipv4").imported == 3);
  CHECK(sessions[0].routes.at("ipv4").exported == 12);
}

TEST_CASE("an answer that is not BIRD's gives no session, or one without facts") {
  CHECK(bird::bgp_sessions("").empty());
  CHECK(bird::bgp_sessions("\n\n  BGP state: Established\n").empty());
  CHECK(bird::bgp_sessions("<script>alert(1)</script>").empty());
  const auto cut = bird::bgp_sessions("x BGP\n  Channel ipv4\n  State: UP\n  Routes: imported");
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].state.empty());
  CHECK(cut[0].routes.at("ipv4").imported == 0);
  // A number that 64 bits cannot hold.
  const auto large = bird::bgp_sessions(
      "x BGP\n  Channel ipv4\n  State: UP\n  Routes: 99999999999999999999999 imported\n");
  CHECK(large.at(0).routes.at("ipv4").imported == 0);
}
