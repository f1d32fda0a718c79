#include <future>

#include <nlohmann/json.hpp>

#include "link_socket.hpp"

using namespace routevpn;
using namespace routevpn::cli;
using std::chrono::milliseconds;

namespace {

// `show` in another thread.
std::future<Outcome> start_show(const ScratchDirectory& scratch, const std::string& arguments) {
  return std::async(std::launch::async,
                    [=, path = scratch.path()] { return show(path, arguments); });
}

// Returns what `--wait down` of a link that is up ends with, after `change`.
template <typename Change>
Outcome wait_for_down(Change change) {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  auto waited = start_show(scratch, "a --wait down");
  CHECK(a.accept() == "watch");
  a.send(object("a", "up") + "\n");
  CHECK(waited.wait_for(milliseconds(20)) == std::future_status::timeout);
  change(a);
  return waited.get();
}

}  // namespace

TEST_CASE("waiting ends when every named link is up") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  auto waited = start_show(scratch, "a b --wait up");
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
  auto waited = start_show(scratch, "a --wait up --json");
  CHECK(a.accept() == "watch");
  a.send(object("a", "up") + "\n");
  answer(a, object("a", "up"));
  CHECK(nlohmann::json::parse(waited.get().out)[0]["state"] == "up");
}

TEST_CASE("waiting for down ends when the link is connecting again, or ends") {
  const auto connecting = [](LinkSocket& link) { link.send(object("a", "connecting") + "\n"); };
  CHECK(wait_for_down(connecting).status == 0);
  CHECK(wait_for_down([](LinkSocket& link) { link.go_away(); }).status == 0);
}

TEST_CASE("without names, waiting takes the links that are there or come") {
  const ScratchDirectory scratch;
  auto waited = start_show(scratch, "--wait up");
  LinkSocket a(scratch.path(), "a");
  CHECK(a.accept() == "watch");
  a.send(object("a", "up") + "\n");
  CHECK(waited.get().status == 0);
}

TEST_CASE("after the timeout a line names the links that are not up") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  auto waited = start_show(scratch, "a b --wait up --timeout 0.3");
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
