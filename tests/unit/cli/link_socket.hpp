// `routevpn show` against a server in this process that serves the control socket's protocol.
#pragma once

#include <chrono>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/base/unix_address.hpp"
#include "routevpn/cli/commands.hpp"

#include "catch.hpp"
#include "outcome.hpp"
#include "parsing.hpp"

namespace routevpn::cli {

constexpr std::chrono::milliseconds deadline{10'000};

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
inline void leave_stale_socket(const std::string& run_dir, const std::string& link) {
  LinkSocket socket(run_dir, link);
  socket.go_away();
}

inline Outcome show(const std::string& run_dir, const std::string& words) {
  const auto line = parse_words("show --run-dir " + run_dir + " " + words);
  return outcome_of(
      [&](const Console& console) { return run(std::get<ShowLinks>(line.command), console); });
}

// One client asks, one object answers.
inline void answer(LinkSocket& socket, const std::string& object) {
  CHECK(socket.accept() == "status");
  socket.send(object);
  socket.hang_up();
}

inline std::string object(const std::string& link, const std::string& state) {
  return R"({"link": ")" + link + R"(", "state": ")" + state + R"(", "reason": null})";
}

}  // namespace routevpn::cli
