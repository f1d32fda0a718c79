#include "routevpn/doctor/host_machine.hpp"

#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/host/netns.hpp"
#include "routevpn/host/program.hpp"

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

bool HostMachine::has_netns(const std::string& netns) const {
  return within(netns, [] { return std::optional(true); }).has_value();
}

std::optional<std::string> HostMachine::sysctl(const std::string& netns,
                                               const std::string& path) const {
  auto value = within(netns, [&] { return read("/proc/sys/net/" + path); });
  if (value) value->erase(value->find_last_not_of('\n') + 1);
  return value;
}

std::optional<ProgramResult> HostMachine::run(const std::string& netns, const Words& words) const {
  return within(netns, [&]() -> std::optional<ProgramResult> {
    try {
      auto end = host::run_program(words, time_limit);
      if (!end) return std::nullopt;
      return ProgramResult{end->status, std::move(end->out)};
    } catch (const SystemError&) {  // it did not end in time
      return ProgramResult{-1, {}};
    }
  });
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
  return pki::TimePoint(std::chrono::seconds(file.st_mtim.tv_sec));
}

}  // namespace routevpn::doctor
