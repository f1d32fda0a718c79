// Against a server in this process that serves the control socket's protocol.
#include <csignal>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/base/unix_address.hpp"
#include "routevpn/cli/commands.hpp"
#include "routevpn/cli/status_client.hpp"

#include "catch.hpp"
#include "outcome.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds deadline{10'000};

class LinkSocket {
 public:
  LinkSocket(const std::string& run_dir, const std::string& link) {
    const auto address = UnixAddress::of(run_dir + "/" + link + ".sock").value();
    listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(listener_.get(), address.get(), UnixAddress::size()) == 0);
    REQUIRE(::listen(listener_.get(), 5) == 0);
  }

  // Waits for a client and gives its question.
  std::string accept() {
    pollfd waiting{listener_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(deadline.count())) != 1) return "no client";
    client_ = Fd(::accept(listener_.get(), nullptr, nullptr));
    std::string question;
    char c = 0;
    while (::read(client_.get(), &c, 1) == 1 && c != '\n') question += c;
    return question;
  }
  void send(const std::string& text) {
    CHECK(::send(client_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
  }
  void hang_up() { client_.reset(); }
  void go_away() {
    client_.reset();
    listener_.reset();
  }

 private:
  Fd listener_;
  Fd client_;
};

// As a killed process leaves it.
void leave_stale_socket(const std::string& run_dir, const std::string& link) {
  LinkSocket socket(run_dir, link);
  socket.go_away();
}

Outcome show(const std::string& run_dir, const std::string& words) {
  const auto line = parse_words("show --run-dir " + run_dir + " " + words);
  return outcome_of(
      [&](const Console& console) { return run(std::get<ShowLinks>(line.command), console); });
}

// One client asks, one object answers.
void answer(LinkSocket& socket, const std::string& object) {
  CHECK(socket.accept() == "status");
  socket.send(object);
  socket.hang_up();
}

std::string object(const std::string& link, const std::string& state) {
  return R"({"link": ")" + link + R"(", "state": ")" + state + R"(", "reason": null})";
}

}  // namespace

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
