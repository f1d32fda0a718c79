#include "routevpn/host/notify.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

#include "routevpn/base/log.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::host {

namespace {

struct ManagerAddress {
  sockaddr_un name{};
  socklen_t length = 0;
};

// None: there is no NOTIFY_SOCKET, or it is invalid.
std::optional<ManagerAddress> service_manager() {
  const char* named = std::getenv("NOTIFY_SOCKET");
  if (named == nullptr) return std::nullopt;
  const std::string_view path = named;
  ManagerAddress address;
  address.name.sun_family = AF_UNIX;
  // A path, or an abstract name: '@' stands for its first byte, which is zero.
  const bool abstract = path.starts_with('@');
  if ((!abstract && !path.starts_with('/')) || path.size() >= sizeof(address.name.sun_path)) {
    log_warning("NOTIFY_SOCKET is neither a path nor an abstract name", {{"value", named}});
    return std::nullopt;
  }
  std::memcpy(address.name.sun_path, path.data(), path.size());
  if (abstract) address.name.sun_path[0] = '\0';
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  return address;
}

// `fd`: -1: none.
bool send_state(ManagerAddress& to, std::string_view state, int fd, int flags) {
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  iovec part{const_cast<char*>(state.data()), state.size()};  // sendmsg only reads
  msghdr header{};
  header.msg_name = &to.name;
  header.msg_namelen = to.length;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
  if (fd >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  if (socket && ::sendmsg(socket.get(), &header, MSG_NOSIGNAL | flags) >= 0) return true;
  log_warning("the service manager could not be notified",
              {{"socket", std::getenv("NOTIFY_SOCKET")}});
  return false;
}

}  // namespace

void notify(std::string_view state) {
  if (auto to = service_manager()) send_state(*to, state, -1, MSG_DONTWAIT);
}

// Type=notify-reload demands the time (systemd.service(5)); systemd 252 ignores it.
void notify_reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = now.tv_sec * std::int64_t{1'000'000} + now.tv_nsec / 1000;
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

bool notify_with(std::string_view state, int fd) {
  auto to = service_manager();
  return to && send_state(*to, state, fd, 0);
}

}  // namespace routevpn::host
