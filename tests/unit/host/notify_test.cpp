#include "routevpn/host/notify.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "routevpn/base/owned.hpp"

#include "catch.hpp"

using namespace routevpn;

namespace {

// The service manager: a bound datagram socket, whose name is in the environment.
class Manager {
 public:
  explicit Manager(const std::string& name)
      : name_(name), socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    unsetenv("NOTIFY_SOCKET");
    if (name_[0] == '/') unlink(name_.c_str());
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  [[nodiscard]] std::string received() const {
    std::array<char, 256> text{};
    const ssize_t got = recv(socket_.get(), text.data(), text.size(), 0);
    return got < 0 ? std::string("nothing")
                   : std::string(text.data(), static_cast<std::size_t>(got));
  }

 private:
  std::string name_;
  Fd socket_;
};

}  // namespace

TEST_CASE("the service manager is notified by path and by abstract name") {
  const std::string name = GENERATE("/tmp/rvtest-notify-", "@rvtest-notify-");
  const Manager manager(name + std::to_string(getpid()));
  host::notify("READY=1\nSTATUS=connecting");
  CHECK(manager.received() == "READY=1\nSTATUS=connecting");
  CHECK(manager.received() == "nothing");
}

TEST_CASE("a reload is notified with the time of CLOCK_MONOTONIC in microseconds") {
  const Manager manager("@rvtest-notify-" + std::to_string(getpid()));
  const auto microseconds = [] {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
  };
  const auto before = microseconds();
  host::notify_reloading();
  const auto after = microseconds();
  const std::string text = manager.received();
  const std::string fixed = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE(text.starts_with(fixed));
  const auto told = std::stoll(text.substr(fixed.size()));
  CHECK(told >= before);
  CHECK(told <= after);
}

TEST_CASE("without a service manager nothing happens") {
  unsetenv("NOTIFY_SOCKET");
  CHECK_NOTHROW(host::notify("READY=1"));
}

TEST_CASE("a NOTIFY_SOCKET that is not a socket is ignored") {
  const std::string value = GENERATE(as<std::string>{}, "relative", "/nonexistent/socket",
                                     "/" + std::string(200, 'x'), "");
  setenv("NOTIFY_SOCKET", value.c_str(), 1);
  CHECK_NOTHROW(host::notify("READY=1"));
  unsetenv("NOTIFY_SOCKET");
}
