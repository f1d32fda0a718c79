// What Landlock adds to the empty root directory.
#include <algorithm>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "routevpn/base/owned.hpp"

#include "catch.hpp"
#include "confined_child.hpp"

using namespace routevpn;
using namespace routevpn::test;

namespace {

long landlock_abi() {
  return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

}  // namespace

TEST_CASE("Landlock refuses files below a directory that the worker still holds") {
  if (!is_root_or_warn()) return;
  if (landlock_abi() < 1) {
    WARN("skipped: this kernel has no Landlock");
    return;
  }
  const auto ended = run_in_child([](const Report& report) {
    const Fd etc(open("/etc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    confine_as_nobody();
    const Fd file(openat(etc.get(), "passwd", O_RDONLY | O_CLOEXEC));
    report.check(!file && errno == EACCES, "it can open passwd in /etc");
  });
  CHECK(ended.report == "");
}

TEST_CASE("Landlock refuses abstract sockets and TCP to a worker that still holds a socket") {
  if (!is_root_or_warn()) return;
  constexpr long abi_with_scopes = 6;  // Linux 6.12
  if (landlock_abi() < abi_with_scopes) {
    WARN("skipped: this kernel's Landlock has no scopes");
    return;
  }
  sockaddr_un name{AF_UNIX, {}};
  const std::string text = "routevpn-cage-test-" + std::to_string(getpid());
  std::copy(text.begin(), text.end(), name.sun_path + 1);  // abstract: after a zero
  const auto* const address = reinterpret_cast<const sockaddr*>(&name);
  const Fd listener(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  REQUIRE(bind(listener.get(), address, sizeof name) == 0);
  const auto ended = run_in_child([&](const Report& report) {
    const Fd unix_socket(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const Fd tcp_socket(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    confine_as_nobody();
    report.check(connect(unix_socket.get(), address, sizeof name) != 0 && errno == EPERM,
                 "it can connect to an abstract socket");
    const sockaddr_in port{AF_INET, htons(9), {htonl(INADDR_LOOPBACK)}, {}};
    report.check(
        connect(tcp_socket.get(), reinterpret_cast<const sockaddr*>(&port), sizeof port) != 0 &&
            errno == EACCES,
        "it can connect by TCP");
  });
  CHECK(ended.report == "");
}
