// A TCP server in a thread of the test: it reads the head of each HTTP request and answers.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "routevpn/base/address.hpp"
#include "routevpn/base/owned.hpp"

#include "catch.hpp"

namespace routevpn::test {

struct TcpListener {
  Fd fd;
  SocketAddress address;
};

// On a free port of 127.0.0.1.
inline TcpListener tcp_listener() {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  auto length = SocketAddress{IpAddress::v4({127, 0, 0, 1}), 0}.to_kernel(storage, AF_INET);
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  REQUIRE(::bind(fd.get(), address, length) == 0);
  REQUIRE(::listen(fd.get(), 16) == 0);
  REQUIRE(::getsockname(fd.get(), address, &length) == 0);
  return {std::move(fd), SocketAddress::from_kernel(storage)};
}

class FakeExporter {
 public:
  explicit FakeExporter(std::string answer)
      : answer_(std::move(answer)), thread_([this] { serve(); }) {}
  ~FakeExporter() {
    stop_ = true;
    ::shutdown(listener_.fd.get(), SHUT_RDWR);  // ends accept()
    thread_.join();
  }
  FakeExporter(const FakeExporter&) = delete;
  FakeExporter& operator=(const FakeExporter&) = delete;

  [[nodiscard]] const SocketAddress& address() const { return listener_.address; }
  [[nodiscard]] int questions() const { return questions_; }

 private:
  void serve() {
    while (!stop_) {
      const Fd client(::accept(listener_.fd.get(), nullptr, nullptr));
      if (!client) return;
      std::string head;
      char c = 0;
      while (!head.ends_with("\r\n\r\n") && ::read(client.get(), &c, 1) == 1) head += c;
      ++questions_;
      (void)::send(client.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
    }
  }

  TcpListener listener_ = tcp_listener();
  std::string answer_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> questions_ = 0;
  std::thread thread_;
};

}  // namespace routevpn::test
