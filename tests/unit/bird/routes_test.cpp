#include "routevpn/bird/routes.hpp"

#include "catch.hpp"

using namespace routevpn;

TEST_CASE("routes of BIRD are read from its answer") {
  const auto routes = bird::routes(
      "Table master4:\n"
      "10.1.0.0/24          unicast [IBGP_V2_1 09:47:28.473 from 10.255.0.9] * (100/20) [i]\n"
      "\tvia 10.255.0.6 on rv2 onlink weight 2\n\tvia 10.255.0.2 on rv1 weight 1\n"
      "\tType: BGP univ\n\tBGP.as_path: \n\tBGP.community: (65000,5) (65000,6)\n"
      "                     unreachable [S5 2026-11-28 09:47:28] (50)\n\tType: static univ\n"
      "\n"
      "Table forward4:\n"
      "10.1.0.0/24          unicast [direct1 09:00:00.000] ! (240)\n\tdev lan\n");
  REQUIRE(routes.size() == 3);
  CHECK(routes[0].table == "master4");
  CHECK(routes[0].network == "10.1.0.0/24");
  CHECK(routes[0].type == "unicast");
  CHECK(routes[0].protocol == "IBGP_V2_1");
  CHECK(routes[0].since == "09:47:28.473");
  CHECK(routes[0].from == "10.255.0.9");
  CHECK(routes[0].is_best);
  CHECK(routes[0].preference == "100");
  REQUIRE(routes[0].next_hops.size() == 2);
  CHECK(routes[0].next_hops[0].address == "10.255.0.6");
  CHECK(routes[0].next_hops[0].interface == "rv2");
  CHECK(routes[0].next_hops[0].weight == "2");
  REQUIRE(routes[0].attributes.size() == 3);
  CHECK(routes[0].attributes[1] == std::pair<std::string, std::string>("BGP.as_path", ""));
  CHECK(routes[0].attributes[2].second == "(65000,5) (65000,6)");
  CHECK(routes[1].network == "10.1.0.0/24");
  CHECK(routes[1].type == "unreachable");
  CHECK(routes[1].since == "2026-11-28 09:47:28");
  CHECK(!routes[1].is_best);
  CHECK(routes[1].next_hops.empty());
  CHECK(routes[2].table == "forward4");
  CHECK(!routes[2].is_best);
  REQUIRE(routes[2].next_hops.size() == 1);
  CHECK(routes[2].next_hops[0].address.empty());
  CHECK(routes[2].next_hops[0].interface == "lan");
}

TEST_CASE("the command for a route has a prefix alone") {
  const auto command = [](const char* text) {
    return bird::route_command(IpPrefix::parse(text).value());
  };
  CHECK(command("10.1.0.5") == "show route for 10.1.0.5/32 table all all");
  CHECK(command("10.1.0.5/24") == "show route for 10.1.0.0/24 table all all");
  CHECK(command("2001:DB8:0::1") == "show route for 2001:db8::1/128 table all all");
  CHECK(bird::is_no_route("Network not found"));
  CHECK(!bird::is_no_route("syntax error"));
}

TEST_CASE("an answer that is not BIRD's gives no route, or one without facts") {
  CHECK(bird::routes("").empty());
  CHECK(bird::routes("\n\n \n\t\n").empty());
  CHECK(bird::routes("<script>alert(1)</script>\n\tvia 10.0.0.1\n").empty());
  CHECK(bird::routes("Table ").empty());
  const auto cut = bird::routes("Table :\n \nTable x\n   [\n\tvia\n\tvia \n\t:\n");
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].network.empty());
  CHECK(cut[0].protocol.empty());
}
