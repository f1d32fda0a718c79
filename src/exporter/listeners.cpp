#include "routevpn/exporter/listeners.hpp"

#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/text.hpp"

namespace routevpn::exporter {

namespace {

constexpr int first_passed = 3;  // SD_LISTEN_FDS_START

std::uint32_t variable(const char* name) {
  const char* const value = std::getenv(name);
  const auto number = value == nullptr ? std::nullopt : to_number(value);
  unsetenv(name);
  return number.value_or(0);
}

int option_of(int fd, int option) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

}  // namespace

std::vector<Fd> passed_sockets() {
  const bool ours = variable("LISTEN_PID") == static_cast<std::uint32_t>(getpid());
  const auto count = variable("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  std::vector<Fd> sockets;
  if (!ours) return sockets;
  for (std::uint32_t i = 0; i < count; ++i) {
    Fd fd(first_passed + static_cast<int>(i));
    if (option_of(fd.get(), SO_ACCEPTCONN) != 1 || option_of(fd.get(), SO_TYPE) != SOCK_STREAM) {
      throw UsageError("descriptor " + std::to_string(fd.get()) +
                       " of LISTEN_FDS is not a listening stream socket");
    }
    fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    fcntl(fd.get(), F_SETFL, O_NONBLOCK);
    sockets.push_back(std::move(fd));
  }
  return sockets;
}

Fd listen_on(const SocketAddress& address) {
  const auto failed = [&] {
    return UsageError(system_error("--listen " + address.to_string()).what(), Exit::failed);
  };
  Fd fd(::socket(address.address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw failed();
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_storage storage{};
  const auto length = address.to_kernel(storage, address.address.family());
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0) {
    throw failed();
  }
  return fd;
}

}  // namespace routevpn::exporter
