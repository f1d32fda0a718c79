#include <csignal>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "routevpn/cli/status_client.hpp"

#include "link_socket.hpp"

using namespace routevpn;
using namespace routevpn::cli;
using std::chrono::milliseconds;

TEST_CASE("every link is shown, in alphabetical order") {
  const ScratchDirectory scratch;
  LinkSocket b(scratch.path(), "b");
  LinkSocket a(scratch.path(), "a");
  static_cast<void>(scratch.write("other.txt", ""));
  auto shown = std::async(std::launch::async, [&] { return show(scratch.path(), ""); });
  answer(a, object("a", "up"));
  answer(b, object("b", "down"));
  const auto outcome = shown.get();
  CHECK(outcome.status == 0);
  CHECK(outcome.err.empty());
  CHECK(outcome.out ==
        "link: a (up)\n  transfer: 0 B received, 0 B sent\n"
        "\n"
        "link: b (down)\n  transfer: 0 B received, 0 B sent\n");
}

TEST_CASE("--prometheus hands directory and links to the exporter beside the program") {
  const auto command = [](const std::string& words) {
    const auto line = parse_words("show --prometheus " + words);
    REQUIRE(line.faults.empty());
    return exporter_command(std::get<ShowLinks>(line.command), "/usr/bin/routevpn");
  };
  CHECK(command("") == Lines{"/usr/bin/routevpn-exporter", "--once", "--run-dir", "/run/routevpn"});
  CHECK(command("a b --run-dir /tmp/r") ==
        Lines{"/usr/bin/routevpn-exporter", "--once", "--run-dir", "/tmp/r", "--", "a", "b"});
  for (const std::string other : {"--json", "--watch", "--wait up"}) {
    CHECK(parse_words("show --prometheus " + other).faults ==
          Lines{"--prometheus: excludes --json, --watch and --wait"});
  }
}

TEST_CASE("--json prints an array, also of none") {
  const ScratchDirectory scratch;
  CHECK(show(scratch.path(), "--json").out == "[]\n");
  LinkSocket a(scratch.path(), "a");
  auto shown = std::async(std::launch::async, [&] { return show(scratch.path(), "--json a"); });
  answer(a, object("a", "up"));
  const auto links = nlohmann::json::parse(shown.get().out);
  REQUIRE(links.size() == 1);
  CHECK(links[0]["link"] == "a");
}

TEST_CASE("a link that was named and is not there is an error") {
  const ScratchDirectory scratch;
  leave_stale_socket(scratch.path(), "stale");
  const std::string link = GENERATE("none", "stale");
  const auto outcome = show(scratch.path(), link);
  CHECK(outcome.status == 1);
  std::string expected = "routevpn: " + link;
  expected += ": not running, there is no link behind " + scratch.path() + "/";
  CHECK(outcome.err == expected + link + ".sock\n");
}

TEST_CASE("--watch draws until it is interrupted") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  Outcome outcome{};
  std::thread watching([&] { outcome = show(scratch.path(), "--watch"); });
  // Each question means that the signals are held back already, and all before it was drawn.
  answer(a, object("a", "connecting"));
  answer(a, object("a", "up"));
  pthread_kill(watching.native_handle(), SIGINT);
  watching.join();
  CHECK(outcome.status == 0);
  CHECK(outcome.out.starts_with("LINK  STATE"));
  const auto up = outcome.out.find("\na     up ");
  REQUIRE(up != std::string::npos);
  CHECK(outcome.out.find("\na     connecting ") < up);
}

TEST_CASE("--watch --json prints an array in each line") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  Outcome outcome{};
  std::thread watching([&] { outcome = show(scratch.path(), "--watch --json"); });
  answer(a, object("a", "connecting"));
  answer(a, object("a", "up"));
  pthread_kill(watching.native_handle(), SIGINT);
  watching.join();
  std::istringstream lines(outcome.out);
  std::string line;
  REQUIRE(std::getline(lines, line));
  CHECK(nlohmann::json::parse(line)[0]["state"] == "connecting");
  REQUIRE(std::getline(lines, line));
  CHECK(nlohmann::json::parse(line)[0]["state"] == "up");
}

TEST_CASE("a link that left its socket, and one with a configuration alone, are not running") {
  const ScratchDirectory scratch;
  leave_stale_socket(scratch.path(), "killed");
  std::ofstream(scratch.path() + "/stopped.conf") << "peer = 192.0.2.1\n";
  std::ofstream(scratch.path() + "/other.txt");
  const auto outcome = show(scratch.path(), "--json --config-dir " + scratch.path());
  CHECK(outcome.status == 0);
  const auto links = nlohmann::json::parse(outcome.out);
  REQUIRE(links.size() == 2);
  CHECK(links[0]["link"] == "killed");
  CHECK(links[1]["link"] == "stopped");
  for (const auto& link : links) {
    CHECK(link["state"] == "down");
    CHECK(link["reason"] == "not_running");
  }
  CHECK(nlohmann::json::parse(show(scratch.path(), "--json").out).size() == 1);
}

TEST_CASE("more than four links are printed as a table") {
  const ScratchDirectory scratch;
  for (const auto* name : {"a", "b", "c", "d"}) leave_stale_socket(scratch.path(), name);
  CHECK_THAT(show(scratch.path(), "").out, ContainsSubstring("link: d (down: not running"));
  CHECK(show(scratch.path(), "--brief").out.starts_with("LINK  STATE"));
  leave_stale_socket(scratch.path(), "e");
  const auto table = show(scratch.path(), "").out;
  CHECK(table.starts_with("LINK  STATE"));
  CHECK_THAT(table, ContainsSubstring("\ne     down "));
}

TEST_CASE("no link at all is no error") {
  const ScratchDirectory scratch;
  const auto outcome = show(scratch.path() + "/none", "");
  CHECK(outcome.status == 0);
  CHECK(outcome.out.empty());
  CHECK(outcome.err == "routevpn: no link is running in " + scratch.path() + "/none\n");
}

TEST_CASE("an answer that is no JSON object is an error of that link alone") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  LinkSocket b(scratch.path(), "b");
  auto shown = std::async(std::launch::async, [&] { return show(scratch.path(), ""); });
  answer(a, GENERATE("", "[]", "{\"link\": ", "\xff"));
  answer(b, object("b", "up"));
  const auto outcome = shown.get();
  CHECK(outcome.status == 1);
  CHECK(outcome.err == "routevpn: a: its answer is not a JSON object\n");
  CHECK_THAT(outcome.out, ContainsSubstring("link: b (up)"));
}

TEST_CASE("asking a link ends at a timeout") {
  const ScratchDirectory scratch;
  LinkSocket a(scratch.path(), "a");
  auto stream = StatusStream::ask(scratch.path(), "a", "status");
  REQUIRE(stream);
  CHECK_THROWS_WITH(stream->read_object(milliseconds(20)), "a: does not answer");
}

TEST_CASE("a path that no socket can have is an error") {
  const auto outcome = show("/tmp/" + std::string(120, 'x'), "a");
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.err, ContainsSubstring("/a.sock: File name too long"));
}
