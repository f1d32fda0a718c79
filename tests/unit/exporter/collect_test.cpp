#include "routevpn/exporter/collect.hpp"

#include <filesystem>

#include "catch.hpp"
#include "fake_socket.hpp"
#include "unit/options/parsing.hpp"

using namespace routevpn;
using namespace routevpn::exporter;
using options::ScratchDirectory;
using test::FakeSocket;
using namespace std::chrono_literals;

namespace {

constexpr AskLimits ample{10'000ms};
constexpr auto bird_answer =
    "0001 BIRD 2.0.12 ready.\n0016 Access restricted\n"
    "1002-V2_1       BGP        ---        up     12:00:00.123  Established   \n"
    "1006-  BGP state:          Established\n"
    "     Neighbor address: 10.255.0.2\n0000 \n";

}  // namespace

TEST_CASE("a report has all links of the directory and all BIRDs") {
  const ScratchDirectory scratch;
  std::filesystem::create_directory(scratch.path() + "/bird");
  const FakeSocket b(scratch.path() + "/b.sock", R"({"link": "b", "carrier": true})");
  const FakeSocket a(scratch.path() + "/a.sock", R"({"link": "a", "carrier": false})");
  const FakeSocket bird(scratch.path() + "/bird/private.ctl", bird_answer, FakeSocket::Then::stay);
  static_cast<void>(scratch.write("a.peers", ""));
  const auto report = collect({scratch.path()}, ample);
  REQUIRE(report.links.size() == 2);
  CHECK(report.links[0].name == "a");
  CHECK(report.links[1].status["carrier"] == true);
  REQUIRE(report.birds.size() == 1);
  CHECK(report.birds[0].name == "private");
  REQUIRE(report.birds[0].sessions.size() == 1);
  CHECK(report.birds[0].sessions[0].neighbor == "10.255.0.2");
}

TEST_CASE("a link with an answer that is not a JSON object has no status") {
  const std::string deep(300'000, '[');
  for (const std::string& answer : {std::string("[]"), std::string("{"), std::string("\xff"),
                                    std::string("{}{}"), std::string("7"), deep}) {
    const ScratchDirectory scratch;
    const FakeSocket a(scratch.path() + "/a.sock", answer);
    const auto report = collect({scratch.path()}, ample);
    CAPTURE(answer.substr(0, 10));
    CHECK(report.links.at(0).status.is_null());
    CHECK(report.links.at(0).reason == "bad_answer");
  }
}

TEST_CASE("a link that ends before it answers is cut off") {
  const ScratchDirectory scratch;
  const FakeSocket a(scratch.path() + "/a.sock", "");
  CHECK(collect({scratch.path()}, ample).links.at(0).reason == "cut_off");
}

TEST_CASE("links that are named are asked, and no others") {
  const ScratchDirectory scratch;
  const FakeSocket a(scratch.path() + "/a.sock", "{}");
  const FakeSocket b(scratch.path() + "/b.sock", "{}");
  const auto report = collect({scratch.path(), {}, {"b", "none"}}, ample);
  REQUIRE(report.links.size() == 2);
  CHECK(report.links[0].reason.empty());
  CHECK(report.links[1].reason == "not_running");
  CHECK(a.questions() == 0);
}

TEST_CASE("a directory that is missing has no link") {
  const ScratchDirectory scratch;
  const auto report = collect({scratch.path() + "/none"}, ample);
  CHECK(report.links.empty());
  CHECK(report.birds.empty());
}

TEST_CASE("BIRDs whose sockets have the same name are named by their paths") {
  const ScratchDirectory scratch;
  for (const std::string name : {"a", "b"}) {
    std::filesystem::create_directory(scratch.path() + "/" + name);
  }
  const FakeSocket a(scratch.path() + "/a/bird.ctl", "9001 syntax error\n");
  const FakeSocket b(scratch.path() + "/b/bird.ctl", bird_answer);
  const auto report = collect(
      {scratch.path(), {scratch.path() + "/a/bird.ctl", scratch.path() + "/b/bird.ctl"}}, ample);
  REQUIRE(report.birds.size() == 2);
  CHECK(report.birds[0].name == scratch.path() + "/a/bird.ctl");
  CHECK(report.birds[0].reason == "refused");
  CHECK(report.birds[0].error == "syntax error");
  CHECK(report.birds[1].reason.empty());
}
