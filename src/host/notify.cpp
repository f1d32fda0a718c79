#include "routevpn/host/notify.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>

#include "routevpn/base/log.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::host {

void notify(std::string_view state) {
  const char* named = std::getenv("NOTIFY_SOCKET");
  if (named == nullptr) return;
  const std::string_view path = named;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // A path, or an abstract name: '@' stands for its first byte, which is zero.
  const bool abstract = path.starts_with('@');
  if ((!abstract && !path.starts_with('/')) || path.size() >= sizeof(address.sun_path)) {
    log_warning("NOTIFY_SOCKET is neither a path nor an abstract name", {{"value", named}});
    return;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (abstract) address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());

  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                      reinterpret_cast<const sockaddr*>(&address), length) < 0) {
    log_warning("the service manager could not be notified", {{"socket", named}});
  }
}

}  // namespace routevpn::host
