// Against a command socket in this process.
#include <atomic>
#include <thread>

#include "routevpn/cli/commands.hpp"
#include "routevpn/host/command_socket.hpp"

#include "catch.hpp"
#include "outcome.hpp"
#include "parsing.hpp"

using namespace routevpn;
using namespace routevpn::cli;
using host::CommandSocket;
using namespace std::chrono_literals;

namespace {

// A link whose monitor gives this answer to `reload`.
class AnsweringLink {
 public:
  AnsweringLink(const ScratchDirectory& scratch, const std::string& link,
                const CommandSocket::Answer& answer)
      : socket_(loop_, scratch.path(), link,
                [this, answer](auto client, auto command) {
                  socket_.answer(client, command == "reload" ? answer : CommandSocket::Answer{});
                }),
        thread_([this] {
          while (!end_) loop_.turn(10ms);
        }) {
    static_cast<void>(scratch.write(link + ".sock", ""));
  }
  ~AnsweringLink() {
    end_ = true;
    thread_.join();
  }
  AnsweringLink(const AnsweringLink&) = delete;
  AnsweringLink& operator=(const AnsweringLink&) = delete;

 private:
  host::EventLoop loop_;
  CommandSocket socket_;
  std::atomic<bool> end_ = false;
  std::thread thread_;
};

Outcome reload(const ScratchDirectory& scratch, const std::string& words) {
  const auto line = parse_words("reload --run-dir " + scratch.path() + " " + words);
  REQUIRE(line.faults.empty());
  return outcome_of(
      [&](const Console& console) { return run(std::get<ReloadLinks>(line.command), console); });
}

}  // namespace

TEST_CASE("reload is silent when every link has taken its files") {
  const ScratchDirectory scratch;
  const AnsweringLink a(scratch, "a", {});
  const AnsweringLink b(scratch, "b", {});
  const auto outcome = reload(scratch, "");
  CHECK(outcome.status == 0);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.empty());
}

TEST_CASE("reload names the link that has not taken its files, and why; the others are reloaded") {
  const ScratchDirectory scratch;
  const AnsweringLink a(scratch, "a", {false, {"a.key: it is broken", "second"}});
  const AnsweringLink b(scratch, "b", {true, {"a note\t"}});
  const auto outcome = reload(scratch, "");
  CHECK(outcome.status == 1);
  CHECK(outcome.err ==
        "routevpn: a: a.key: it is broken\nroutevpn: a: second\nroutevpn: b: a note\\x09\n");
}

TEST_CASE("reload of one link leaves the others alone") {
  const ScratchDirectory scratch;
  const AnsweringLink a(scratch, "a", {false, {"not asked"}});
  const AnsweringLink b(scratch, "b", {});
  CHECK(reload(scratch, "b").status == 0);
}

TEST_CASE("reload of a link that is not running is an error, of no link it is none") {
  const ScratchDirectory scratch;
  const auto named = reload(scratch, "rv9");
  CHECK(named.status == 1);
  CHECK(named.err ==
        "routevpn: rv9: not running, there is no link behind " + scratch.path() + "/rv9.ctl\n");
  const auto none = reload(scratch, "");
  CHECK(none.status == 0);
  CHECK(none.err == "routevpn: no link is running in " + scratch.path() + "\n");
}

TEST_CASE("reload takes names of links only") {
  CHECK(parse_words("reload a/b").faults == Lines{"link 'a/b': must be a name without '/'"});
  CHECK(parse_words("reload --json").faults.size() == 1);
}
