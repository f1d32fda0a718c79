#include "routevpn/host/command_socket.hpp"

#include <atomic>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/unix_address.hpp"

#include "catch.hpp"
#include "unit/options/parsing.hpp"

using namespace routevpn;
using namespace routevpn::host;
using namespace std::chrono_literals;
using options::ScratchDirectory;

namespace {

constexpr auto patience = 20s;

// A monitor's side, in a thread of its own.
class Server {
 public:
  using OnCommand = std::function<void(CommandSocket&, CommandSocket::Client, std::string_view)>;

  Server(const std::string& run_dir, OnCommand on_command)
      : socket_(std::in_place, loop_, run_dir, "rv0",
                [this, on_command = std::move(on_command)](auto client, auto command) {
                  on_command(*socket_, client, command);
                }),
        thread_([this] {
          while (!end_) loop_.turn(10ms);
        }) {}
  ~Server() {
    end_ = true;
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  EventLoop loop_;
  std::optional<CommandSocket> socket_;
  std::atomic<bool> end_ = false;
  std::thread thread_;
};

Fd connected(const std::string& run_dir) {
  Fd client(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const auto address = UnixAddress::of(run_dir + "/rv0.ctl").value();
  REQUIRE(::connect(client.get(), address.get(), UnixAddress::size()) == 0);
  const timeval seconds{20, 0};
  REQUIRE(setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &seconds, sizeof seconds) == 0);
  return client;
}

bool is_hung_up(const Fd& client) {
  char byte = 0;
  const auto got = ::recv(client.get(), &byte, 1, 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

void answer_with_command(CommandSocket& socket, CommandSocket::Client client,
                         std::string_view command) {
  socket.answer(client, {command != "bad", {std::string("got ").append(command), "more"}});
}

}  // namespace

TEST_CASE("a command is answered, done or not, with lines for the user") {
  const ScratchDirectory scratch;
  const Server server(scratch.path(), answer_with_command);
  for (const std::string command : {"good", "bad"}) {
    const auto answer = send_command(scratch.path(), "rv0", command, patience);
    REQUIRE(answer);
    CHECK(answer->done == (command == "good"));
    CHECK(answer->lines == std::vector<std::string>{"got " + command, "more"});
  }
}

TEST_CASE("a command that is too long is cut, an answer too") {
  const ScratchDirectory scratch;
  const Server server(scratch.path(), [](auto& socket, auto client, auto command) {
    socket.answer(client, {true, {std::to_string(command.size()), std::string(1U << 20U, 'x')}});
  });
  const auto answer = send_command(scratch.path(), "rv0", std::string(1000, 'c'), patience);
  REQUIRE(answer);
  REQUIRE(answer->lines.size() == 2);
  CHECK(answer->lines[0] == "64");
  CHECK(answer->lines[1].size() == CommandSocket::max_answer_bytes - 4);
}

TEST_CASE("the file is for the owner alone, replaces a stale one and goes with the socket") {
  const ScratchDirectory scratch;
  const std::string file = scratch.path() + "/rv0.ctl";
  {
    const Fd stale(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const auto address = UnixAddress::of(file).value();
    REQUIRE(::bind(stale.get(), address.get(), UnixAddress::size()) == 0);
  }
  CHECK_FALSE(send_command(scratch.path(), "rv0", "c", patience));
  {
    const Server server(scratch.path(), answer_with_command);
    struct stat status {};
    REQUIRE(stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0600);
    CHECK(send_command(scratch.path(), "rv0", "c", patience));
  }
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK_FALSE(send_command(scratch.path(), "rv0", "c", patience));
}

TEST_CASE("a client that leaves before the answer harms none that come later") {
  const ScratchDirectory scratch;
  std::vector<CommandSocket::Client> waiting;
  const Server server(scratch.path(), [&](auto& socket, auto client, auto command) {
    waiting.push_back(client);
    if (command != "last") return;
    for (const auto one : waiting) socket.answer(one, {});
  });
  for (int i = 0; i < 3; ++i) {
    const Fd gone = connected(scratch.path());
    REQUIRE(::send(gone.get(), "first", 5, 0) == 5);
  }
  const auto answer = send_command(scratch.path(), "rv0", "last", patience);
  REQUIRE(answer);
  CHECK(answer->done);
}

TEST_CASE("clients beyond the limit are refused; the others go on") {
  const ScratchDirectory scratch;
  const Server server(scratch.path(), answer_with_command);
  std::vector<Fd> clients;
  for (std::size_t i = 0; i < CommandSocket::max_clients; ++i) {
    clients.push_back(connected(scratch.path()));
  }
  CHECK(is_hung_up(connected(scratch.path())));
  REQUIRE(::send(clients.front().get(), "c", 1, 0) == 1);
  std::string answer(100, '\0');
  CHECK(::recv(clients.front().get(), answer.data(), answer.size(), 0) > 0);
  CHECK(is_hung_up(clients.front()));
  CHECK(send_command(scratch.path(), "rv0", "c", patience));
}

TEST_CASE("a monitor that does not answer, or ends, is an error that names the socket") {
  const ScratchDirectory scratch;
  const std::string path = scratch.path() + "/rv0.ctl";
  {
    const Server server(scratch.path(), [](auto&, auto, auto) {});
    CHECK_THROWS_WITH(send_command(scratch.path(), "rv0", "c", 20ms),
                      path + ": the monitor does not answer");
  }
  std::promise<void> came;
  std::optional<Server> server(std::in_place, scratch.path(),
                               [&](auto&, auto, auto) { came.set_value(); });
  auto asked = std::async(std::launch::async,
                          [&] { return send_command(scratch.path(), "rv0", "c", patience); });
  came.get_future().wait();
  server.reset();
  CHECK_THROWS_WITH(asked.get(), path + ": the link has ended before its answer");
}

TEST_CASE("a path that is too long for a socket is refused") {
  EventLoop loop;
  CHECK_THROWS_AS(CommandSocket(loop, "/" + std::string(200, 'd'), "rv0", {}), UsageError);
  CHECK_THROWS_AS(send_command("/" + std::string(200, 'd'), "rv0", "c", patience), UsageError);
}
