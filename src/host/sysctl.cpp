#include "sysctl.hpp"

#include <array>

#include <fcntl.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"

namespace routevpn::host {

namespace {

constexpr const char* root = "/proc/sys/net/";

}  // namespace

std::optional<std::string> read_sysctl(const std::string& path) {
  const Fd fd(::open((root + path).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  if (got <= 0) return std::nullopt;
  std::string value(text.data(), static_cast<std::size_t>(got));
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
