#include "routevpn/bird/reply.hpp"

#include "catch.hpp"

using namespace routevpn;

namespace {

const std::string greeting = "0001 BIRD 2.0.12 ready.\n0016 Access restricted\n";

}  // namespace

TEST_CASE("a session with BIRD is restricted before the command") {
  CHECK(bird::request("show status") == "restrict\nshow status\n");
}

TEST_CASE("the reply is what birdc prints") {
  const auto received = greeting +
                        "2002-Name       Proto\n"
                        "1002-IBGP_V2_1  BGP\n"
                        "1006-  BGP state:          Established\n"
                        "     Neighbor address: 10.255.0.2\n"
                        " \n"
                        "0000 \n";
  const auto reply = bird::read_reply(received);
  CHECK(reply.text ==
        "Name       Proto\nIBGP_V2_1  BGP\n  BGP state:          Established\n"
        "    Neighbor address: 10.255.0.2\n\n");
  CHECK(reply.error.empty());
}

TEST_CASE("the reply is complete with its last line") {
  CHECK(!bird::is_complete(""));
  CHECK(!bird::is_complete("\n"));
  CHECK(!bird::is_complete(greeting));
  CHECK(!bird::is_complete(greeting + "1002-x BGP\n"));
  CHECK(!bird::is_complete(greeting + "1002-x BGP\n0000 "));
  CHECK(!bird::is_complete(greeting + " 0000 \n"));
  CHECK(bird::is_complete(greeting + "1002-x BGP\n0000 \n"));
  CHECK(bird::is_complete(greeting + "8002 Access denied\n"));
}

TEST_CASE("an error of BIRD is its message") {
  const auto reply = bird::read_reply(greeting + "9001 syntax error, unexpected CF_SYM\n");
  CHECK(reply.error == "syntax error, unexpected CF_SYM");
  CHECK(reply.text.empty());
  CHECK(bird::read_reply("garbage\n\n\n0").text.empty());
}
