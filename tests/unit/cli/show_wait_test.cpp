#include <future>

#include <nlohmann/json.hpp>

#include "link_socket.hpp"

using namespace routevpn;
using namespace routevpn::cli;
using std::chrono::milliseconds;

TEST_CASE("waiting ends when every named link is up") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  auto waited =
      std::async(std::launch::async, [&] { return show(scratch.path(), "a b --wait up"); });
  CHECK(a.accept() == "watch");
  a.send(object("a", "connecting") + "\n" + object("a", "up") + "\n");
  // The second link starts after the question.
  LinkSocket b(scratch.path(), "b");
  CHECK(b.accept() == "watch");
  b.send(R"({"link": "b", )");
  CHECK(waited.wait_for(milliseconds(20)) == std::future_status::timeout);
  b.send("\"state\": \"connecting\"}\n");
  CHECK(waited.wait_for(milliseconds(20)) == std::future_status::timeout);
  b.send(object("b", "up") + "\n");
  REQUIRE(waited.wait_for(deadline) == std::future_status::ready);
  const auto outcome = waited.get();
  CHECK(outcome.status == 0);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.empty());
}

TEST_CASE("with --json, waiting ends with what show prints") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  auto waited =
      std::async(std::launch::async, [&] { return show(scratch.path(), "a --wait up --json"); });
  CHECK(a.accept() == "watch");
  a.send(object("a", "up") + "\n");
  answer(a, object("a", "up"));
  CHECK(nlohmann::json::parse(waited.get().out)[0]["state"] == "up");
}

TEST_CASE("waiting for down ends when the link is connecting again") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  auto waited =
      std::async(std::launch::async, [&] { return show(scratch.path(), "a --wait down"); });
  CHECK(a.accept() == "watch");
  a.send(object("a", "up") + "\n");
  CHECK(waited.wait_for(milliseconds(20)) == std::future_status::timeout);
  a.send(object("a", "connecting") + "\n");
  CHECK(waited.get().status == 0);
}

TEST_CASE("waiting for down ends when the link does") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  auto waited =
      std::async(std::launch::async, [&] { return show(scratch.path(), "a --wait down"); });
  CHECK(a.accept() == "watch");
  a.send(object("a", "up") + "\n");
  CHECK(waited.wait_for(milliseconds(20)) == std::future_status::timeout);
  a.go_away();
  CHECK(waited.get().status == 0);
}

TEST_CASE("without names, waiting takes the links that are there or come") {
  const ScratchDirectory scratch;
  auto waited = std::async(std::launch::async, [&] { return show(scratch.path(), "--wait up"); });
  LinkSocket a(scratch.path(), "a");
  CHECK(a.accept() == "watch");
  a.send(object("a", "up") + "\n");
  CHECK(waited.get().status == 0);
}

TEST_CASE("after the timeout a line names the links that are not up") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  auto waited = std::async(std::launch::async,
                           [&] { return show(scratch.path(), "a b --wait up --timeout 0.3"); });
  CHECK(a.accept() == "watch");
  a.send(R"({"state": "connecting", "reason": "no answer"})"
         "\n");
  const auto outcome = waited.get();
  CHECK(outcome.status == 1);
  CHECK(outcome.err ==
        "routevpn: not up after 0.3 s: a is connecting (no answer), b is not running\n");
  CHECK(show(scratch.path() + "/none", "--wait down --timeout 0").err ==
        "routevpn: not down after 0.0 s: no link is running in " + scratch.path() + "/none\n");
}
