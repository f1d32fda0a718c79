// A control socket in a thread of the test: it reads one line from each client and answers.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/base/unix_address.hpp"

#include "catch.hpp"

namespace routevpn::test {

inline Fd listening_socket(const std::string& path) {
  const auto address = UnixAddress::of(path).value();
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(fd.get(), address.get(), UnixAddress::size()) == 0);
  REQUIRE(::listen(fd.get(), 16) == 0);
  return fd;
}

class FakeSocket {
 public:
  enum class Then { close, stay };  // after the answer

  FakeSocket(const std::string& path, std::string answer, Then then = Then::close)
      : listener_(listening_socket(path)),
        answer_(std::move(answer)),
        then_(then),
        thread_([this] { serve(); }) {}
  ~FakeSocket() {
    stop_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);  // ends poll() and accept()
    thread_.join();
  }
  FakeSocket(const FakeSocket&) = delete;
  FakeSocket& operator=(const FakeSocket&) = delete;

  [[nodiscard]] int questions() const { return questions_; }

 private:
  void serve() {
    Fd stays;
    while (!stop_) {
      Fd client(::accept(listener_.get(), nullptr, nullptr));
      if (!client) return;
      char c = 0;
      while (::read(client.get(), &c, 1) == 1 && c != '\n') continue;
      ++questions_;
      for (std::size_t sent = 0; sent < answer_.size();) {
        const auto n =
            ::send(client.get(), answer_.data() + sent, answer_.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += static_cast<std::size_t>(n);
      }
      if (then_ == Then::stay) stays = std::move(client);
    }
  }

  Fd listener_;
  std::string answer_;
  Then then_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> questions_ = 0;
  std::thread thread_;
};

}  // namespace routevpn::test
