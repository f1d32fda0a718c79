#include "routevpn/host/netns_watch.hpp"

#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/host/netns.hpp"

namespace routevpn::host {

std::optional<NetnsWatch::FileId> NetnsWatch::id_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

NetnsWatch::NetnsWatch(const std::vector<std::string>& names)
    : fd_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (!fd_) throw system_error("timerfd");
  for (const auto& name : names) {
    const std::string path = name.empty() ? "" : Netns::path_of(name);
    if (path.empty() || path.starts_with("/proc/")) continue;
    watched_.push_back({name, path, id_of(path)});
  }
  if (watched_.empty()) return;
  const timespec interval{std::chrono::seconds(check_interval).count(), 0};
  const itimerspec timer{interval, interval};
  if (timerfd_settime(fd_.get(), 0, &timer, nullptr) != 0) throw system_error("timerfd");
}

std::optional<std::string> NetnsWatch::deleted() {
  std::uint64_t ticks = 0;
  [[maybe_unused]] const auto got = ::read(fd_.get(), &ticks, sizeof ticks);
  std::optional<std::string> found;
  std::erase_if(watched_, [&found](const Watched& watched) {
    const bool gone = id_of(watched.path) != watched.id;
    if (gone) found = watched.name;
    return gone;
  });
  return found;
}

}  // namespace routevpn::host
