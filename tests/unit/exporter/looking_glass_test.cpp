#include "routevpn/exporter/looking_glass.hpp"

#include "catch.hpp"
#include "fake_socket.hpp"
#include "sound_link.hpp"
#include "unit/options/parsing.hpp"

using namespace routevpn;
using namespace routevpn::exporter;
using options::ScratchDirectory;
using test::FakeSocket;

namespace {

constexpr auto one_route =
    "0001 BIRD 2.0.12 ready.\n0016 Access restricted\n1007-Table master4:\n"
    " 10.2.0.0/24          unicast [IBGP_V2 09:47:28.473 from 10.255.0.2] * (100) [i]\n"
    " \tvia 10.255.0.2 on rv1\n1008-\tType: BGP univ\n1012-\tBGP.as_path: <b>\xff\n0000 \n";

nlohmann::json ask(LookingGlass& glass, const std::string& text, const Report& report) {
  const auto answer = glass.answer(text, report, read_clock());
  REQUIRE(answer.status == 200);
  CHECK(answer.content_type == "application/json");
  return nlohmann::json::parse(*answer.body);
}

}  // namespace

TEST_CASE("the looking glass has the routes of every BIRD, with their links") {
  const ScratchDirectory scratch;
  const auto socket = [&](const char* name) { return scratch.path() + "/" + name; };
  const FakeSocket bird(socket("private.ctl"), one_route, FakeSocket::Then::stay);
  const FakeSocket none(socket("public.ctl"),
                        "0001 BIRD\n0016 Access restricted\n8001 Network not found\n",
                        FakeSocket::Then::stay);
  const FakeSocket old(socket("old.ctl"), "0001 BIRD\n9001 syntax error\n", FakeSocket::Then::stay);
  auto link = test::sound_link("to-V2");
  link.status["ifname"] = "rv1";
  link.status["netns"] = "private";
  const Report report{{link},
                      {{"private", socket("private.ctl")},
                       {"public", socket("public.ctl")},
                       {"old", socket("old.ctl")},
                       {"gone", socket("gone.ctl")}}};
  LookingGlass glass;
  const auto all = ask(glass, "10.2.0.9", report);
  CHECK(all["prefix"] == "10.2.0.9/32");
  REQUIRE(all["birds"].size() == 2);
  REQUIRE(all["birds"][0]["routes"].size() == 1);
  const auto& route = all["birds"][0]["routes"][0];
  CHECK(route["network"] == "10.2.0.0/24");
  CHECK(route["protocol"] == "IBGP_V2");
  CHECK(route["from"] == "10.255.0.2");
  CHECK(route["best"] == true);
  CHECK(route["next_hops"][0]["interface"] == "rv1");
  CHECK(route["next_hops"][0]["link"] == "to-V2");
  CHECK(route["attributes"]["BGP.as_path"] == "<b>\xef\xbf\xbd");
  CHECK(all["birds"][1]["routes"].empty());
  REQUIRE(all["faults"].size() == 2);
  CHECK(all["faults"][0]["error"] == "syntax error");
  CHECK(all["faults"][1]["reason"] == "not_running");
}

TEST_CASE("a BIRD that hung a moment before delays no answer") {
  const ScratchDirectory scratch;
  const auto silent = test::listening_socket(scratch.path() + "/private.ctl");
  const Report report{{}, {{"private", scratch.path() + "/private.ctl", {}, "no_answer"}}};
  LookingGlass glass;
  const auto all = ask(glass, "10.2.0.9", report);
  CHECK(all["birds"].empty());
  REQUIRE(all["faults"].size() == 1);
  CHECK(all["faults"][0]["reason"] == "no_answer");
  pollfd waiting{silent.get(), POLLIN, 0};
  CHECK(::poll(&waiting, 1, 0) == 0);  // no connection has come
}

TEST_CASE("only an address or a prefix is asked for") {
  LookingGlass glass;
  for (const std::string text :
       {"", "x", "10.0.0.0/33", "10.0.0", "10.0.0.1 all", "10.0.0.1\nconfigure", "10.0.0.1; down",
        "::/129", "fe80::1%eth0", "10.0.0.1/", "/24", "10.0.0.1/-1", "010.0.0.1/8/8"}) {
    CAPTURE(text);
    CHECK(glass.answer(text, {}, read_clock()).status == 400);
  }
  CHECK(glass.answer(std::string(100'000, '1'), {}, read_clock()).status == 400);
}

TEST_CASE("too many questions at one time are refused") {
  LookingGlass glass;
  const Time now = read_clock();
  for (int i = 0; i < LookingGlass::rate.burst; ++i) {
    CHECK(glass.answer("10.0.0.1", {}, now).status == 200);
  }
  CHECK(glass.answer("10.0.0.1", {}, now).status == 429);
  CHECK(glass.answer("10.0.0.1", {}, now + LookingGlass::rate.interval).status == 200);
}
