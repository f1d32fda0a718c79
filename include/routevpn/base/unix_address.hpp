// Addresses of UNIX sockets that are files.
#pragma once

#include <optional>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>

namespace routevpn {

class UnixAddress {
 public:
  static constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;  // in bytes

  // None: the path is longer.
  static std::optional<UnixAddress> of(std::string_view path) {
    if (path.size() > longest_path) return std::nullopt;
    UnixAddress made;
    path.copy(static_cast<char*>(made.address_.sun_path), longest_path);
    return made;
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  [[nodiscard]] static socklen_t size() { return sizeof(sockaddr_un); }

 private:
  UnixAddress() : address_{} { address_.sun_family = AF_UNIX; }

  sockaddr_un address_;
};

}  // namespace routevpn
