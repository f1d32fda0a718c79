#include "routevpn/host/netns_watch.hpp"

#include <array>
#include <cstring>

#include <sys/inotify.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/host/netns.hpp"

namespace routevpn::host {

namespace {

constexpr std::size_t events_bytes = 4096;

}  // namespace

NetnsWatch::NetnsWatch(const std::vector<std::string>& names)
    : fd_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!fd_) throw system_error("inotify");
  for (const auto& name : names) {
    const std::string path = name.empty() ? "" : Netns::path_of(name);
    const auto slash = path.rfind('/');
    if (path.empty() || path.starts_with("/proc/")) continue;
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const int number = inotify_add_watch(fd_.get(), directory.c_str(), IN_DELETE);
    if (number < 0) throw system_error("watching " + directory);
    watched_[name] = {number, path.substr(slash + 1)};
  }
}

std::optional<std::string> NetnsWatch::deleted() {
  std::optional<std::string> found;
  alignas(inotify_event) std::array<char, events_bytes> buffer;
  const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
  for (ssize_t at = 0; at < got;) {
    inotify_event event{};
    std::memcpy(&event, buffer.data() + at, sizeof event);
    const char* const file = buffer.data() + at + sizeof event;
    for (const auto& [name, watched] : watched_) {
      if (event.len > 0 && event.wd == watched.directory && watched.file == file) found = name;
    }
    at += static_cast<ssize_t>(sizeof event + event.len);
  }
  return found;
}

}  // namespace routevpn::host
