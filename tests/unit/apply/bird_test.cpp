#include "../../../src/apply/bird.hpp"

#include "routevpn/apply/directory.hpp"

#include "catch.hpp"

using namespace routevpn::apply;

TEST_CASE("the session of a link is the BGP protocol with its interface") {
  constexpr auto text = R"(protocol direct SITE_OWN {
  interface "rv3-1";
}

protocol bgp IBGP_V2_1 from IBGP {
  description "V2-1 through rv2-1";
  interface "rv2-1";
}

protocol bgp IBGP_V2_11 from IBGP {
  interface "rv2-11";
}
)";
  CHECK(session_over(text, "rv2-1") == "IBGP_V2_1");
  CHECK(session_over(text, "rv2-11") == "IBGP_V2_11");
  CHECK(session_over(text, "rv3-1").empty());
  CHECK(session_over(text, "rv2").empty());
}

TEST_CASE("a session is established when birdc says so of this protocol") {
  constexpr auto text =
      "BIRD 2.0.12 ready.\n"
      "Name       Proto      Table      State  Since         Info\n"
      "IBGP_V2_1  BGP        ---        up     12:00:00.000  Established   \n"
      "IBGP_V2_11 BGP        ---        start  12:00:00.000  Active        Socket: no route\n";
  CHECK(is_established(text, "IBGP_V2_1"));
  CHECK_FALSE(is_established(text, "IBGP_V2_11"));
  CHECK_FALSE(is_established(text, "IBGP_V2"));
  CHECK_FALSE(is_established("Unable to connect to server control socket", "IBGP_V2_1"));
}

TEST_CASE("birdc configure has to say that it reconfigured") {
  CHECK(has_reconfigured({0, "BIRD 2.0.12 ready.\nReading configuration\nReconfigured\n", ""}));
  CHECK(has_reconfigured({0, "Reconfiguration in progress\n", ""}));
  CHECK_FALSE(has_reconfigured({0, "/etc/routevpn/bird/x.conf:3:1 syntax error\n", ""}));
  CHECK_FALSE(has_reconfigured({1, "", "Unable to connect to server control socket"}));
}
