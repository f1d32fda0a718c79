#include "sysctl.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"

namespace routevpn::host {

constexpr const char* root = "/proc/sys/net/";

std::optional<std::string> read_sysctl(const std::string& path) {
  const Fd fd(::open((root + path).c_str(), O_RDONLY | O_CLOEXEC));
  std::string value(64, '\0');
  if (!fd || !read_all(fd, value) || value.empty()) return std::nullopt;
  if (value.back() == '\n') value.pop_back();
  return value;
}

Fd open_sysctl(const std::string& path) {
  Fd fd(::open((root + path).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) throw system_error(root + path);
  return fd;
}

void write_sysctl(const std::string& path, const std::string& value) {
  const Fd fd = open_sysctl(path);
  if (::write(fd.get(), value.data(), value.size()) < 0) {
    throw system_error("setting " + (root + path) + " to " + value);
  }
}

}  // namespace routevpn::host
