#include "routevpn/doctor/host_machine.hpp"

#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/host/netns.hpp"

#include "program.hpp"

namespace routevpn::doctor {

namespace {

// Calls `work` in the namespace. None if there is no such namespace.
template <typename Work>
auto within(const std::string& netns, Work work) -> decltype(work()) {
  if (netns.empty()) return work();
  try {
    const host::NetnsScope scope(host::Netns::open(netns, "--netns"));
    return work();
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

pki::TimePoint from_seconds(long seconds) {
  return pki::TimePoint(std::chrono::seconds(seconds));
}

}  // namespace

std::optional<std::string> HostMachine::read(const std::string& path) const {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::string content(max_file_bytes, '\0');
  if (!fd || !read_all(fd, content)) return std::nullopt;
  return content;
}

bool HostMachine::has(const std::string& path) const {
  return exists(path);
}

std::optional<std::string> HostMachine::sysctl(const std::string& netns,
                                               const std::string& path) const {
  auto value = within(netns, [&] { return read("/proc/sys/net/" + path); });
  if (value) value->erase(value->find_last_not_of('\n') + 1);
  return value;
}

std::optional<ProgramResult> HostMachine::run(const std::string& netns, const Words& words) const {
  return within(netns, [&] { return run_program(words, time_limit); });
}

ClockState HostMachine::clock() const {
  timex state{};
  if (adjtimex(&state) < 0) return ClockState::unknown;
  return (static_cast<unsigned>(state.status) & STA_UNSYNC) != 0 ? ClockState::unsynchronised
                                                                 : ClockState::synchronised;
}

std::string HostMachine::kernel_release() const {
  utsname names{};
  return uname(&names) == 0 ? names.release : "";
}

std::optional<pki::TimePoint> HostMachine::changed(const std::string& path) const {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  return from_seconds(file.st_mtim.tv_sec);
}

// proc(5): field 22 of /proc/PID/stat is the start in clock ticks since boot. The name in field 2
// may have spaces and brackets. `btime` of /proc/stat is the time of the boot.
std::optional<pki::TimePoint> HostMachine::started(unsigned pid) const {
  constexpr int fields_before_start = 19;  // after the name
  const auto own = read("/proc/" + std::to_string(pid) + "/stat");
  const auto all = read("/proc/stat");
  if (!own || !all) return std::nullopt;
  std::istringstream fields(own->substr(own->rfind(')') + 1));
  std::string word;
  for (int i = 0; i < fields_before_start; ++i) fields >> word;
  long ticks = 0;
  fields >> ticks;
  const auto at = all->find("\nbtime ");
  if (!fields || at == std::string::npos) return std::nullopt;
  return from_seconds(std::stol(all->substr(at + 7)) + ticks / sysconf(_SC_CLK_TCK));
}

}  // namespace routevpn::doctor
