#include "routevpn/host/fd_store.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/text.hpp"
#include "routevpn/host/child_process.hpp"
#include "routevpn/host/notify.hpp"

namespace routevpn::host {

namespace {

constexpr int first_stored = 3;  // SD_LISTEN_FDS_START

int milliseconds_until(Time end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - read_clock()).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

std::uint32_t number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : to_number(text).value_or(0);
}

// -1: it cannot be run.
pid_t spawn_systemctl(const std::string& unit, const Fd& output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::array<std::string, 5> words{"systemctl", "list-jobs", "--plain", "--no-legend", unit};
  std::array<char*, 6> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, "systemctl", &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

// What it has printed until its end, or until then.
std::string read_until(const Fd& pipe, Time end) {
  std::string text;
  pollfd waiting{pipe.get(), POLLIN, 0};
  while (poll(&waiting, 1, milliseconds_until(end)) > 0) {
    std::array<char, 512> part{};
    const auto got = ::read(pipe.get(), part.data(), part.size());
    if (got <= 0) break;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

bool store_descriptor(const std::string& name, int fd) {
  // FDPOLL=0: systemd would drop a socket that has an error, and an error of ICMP is none for us.
  return notify_with("FDSTORE=1\nFDPOLL=0\nFDNAME=" + name, fd);
}

void remove_stored_descriptor(const std::string& name) {
  notify("FDSTOREREMOVE=1\nFDNAME=" + name);
}

// sd_notify_barrier(3): the service manager closes the descriptor.
bool wait_for_service_manager(std::chrono::milliseconds at_most) {
  Pipe barrier = make_pipe();
  if (!notify_with("BARRIER=1", barrier.write_end.get())) return false;
  barrier.write_end.reset();
  pollfd closed{barrier.read_end.get(), 0, 0};
  return poll(&closed, 1, static_cast<int>(at_most.count())) > 0;
}

std::vector<StoredDescriptor> take_stored_descriptors() {
  std::vector<StoredDescriptor> all;
  const bool ours = number_in("LISTEN_PID") == static_cast<std::uint32_t>(getpid());
  const int count = ours ? static_cast<int>(number_in("LISTEN_FDS")) : 0;
  const char* const listed = std::getenv("LISTEN_FDNAMES");
  std::istringstream names(listed == nullptr ? "" : listed);
  for (int i = 0; i < count; ++i) {
    StoredDescriptor one{{}, Fd(first_stored + i)};
    std::getline(names, one.name, ':');
    if (fcntl(one.fd.get(), F_SETFD, FD_CLOEXEC) != 0) continue;
    all.push_back(std::move(one));
  }
  for (const char* const variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    unsetenv(variable);
  }
  return all;
}

// A line of the output: JOB UNIT TYPE STATE. A restart has this type until the unit has stopped.
bool is_restarting(const std::string& unit, std::chrono::milliseconds at_most) {
  const Time end = read_clock() + at_most;
  Pipe output = make_pipe();
  const pid_t pid = spawn_systemctl(unit, output.write_end);
  if (pid < 0) return false;
  output.write_end.reset();
  std::istringstream lines(read_until(output.read_end, end));
  if (read_clock() >= end) kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string job;
    std::string name;
    std::string type;
    words >> job >> name >> type;
    if (name == unit) return type == "restart";
  }
  return false;
}

}  // namespace routevpn::host
