#include "routevpn/monitor/worker_process.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/host/signal_child.hpp"

namespace routevpn::monitor {

namespace {

using channel::worker_descriptor;

Fd make_memory() {
  Fd memory(memfd_create("routevpn-state", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory || ftruncate(memory.get(), static_cast<off_t>(channel::state_bytes)) != 0) {
    throw system_error("memory for the worker's state");
  }
  return memory;
}

// In the child, before exec.
bool enter(const std::optional<host::Netns>& where) {
  try {
    if (where) where->enter();
    return true;
  } catch (const SystemError& error) {
    log_error(error.what());
    return false;
  }
}

[[noreturn]] void execute(int program, int pair, const char* link, pid_t parent,
                          const std::optional<host::Netns>& where) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // the worker sets it again after its change of user
  const int dev_null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int copy = fcntl(program, F_DUPFD_CLOEXEC, worker_descriptor + 1);
  if (getppid() != parent || !enter(where)) _exit(127);
  const bool prepared = dev_null >= 0 && copy >= 0 && dup2(dev_null, STDIN_FILENO) >= 0 &&
                        (pair == worker_descriptor ? fcntl(pair, F_SETFD, 0) == 0
                                                   : dup2(pair, worker_descriptor) >= 0);
  if (prepared) {
    std::array<const char*, 3> arguments{channel::worker_name, link, nullptr};
    close_range(worker_descriptor + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);  // also what we inherited
    syscall(SYS_execveat, copy, "", arguments.data(), environ, AT_EMPTY_PATH);
  }
  log_error(system_error("executing the worker").what());
  _exit(127);
}

}  // namespace

WorkerProcess::WorkerProcess(const Fd& program, const std::string& link,
                             const std::optional<host::Netns>& where, uid_t uid)
    : uid_(uid), channel_(Fd()), memory_(make_memory()), started_(read_clock()) {
  auto [ours, theirs] = channel::Channel::make();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw system_error("starting the worker");
  if (pid_ == 0) execute(program.get(), theirs.fd(), link.c_str(), parent, where);
  pidfd_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_) {
    const auto error = system_error("watching the worker");
    kill(SIGKILL);
    waitpid(pid_, nullptr, 0);
    throw error;
  }
  channel_ = std::move(ours);
}

WorkerProcess::WorkerProcess(pid_t pid, uid_t uid, Fd pidfd, channel::Channel channel, Fd memory)
    : pid_(pid),
      uid_(uid),
      pidfd_(std::move(pidfd)),
      channel_(std::move(channel)),
      memory_(std::move(memory)),
      started_(read_clock()),
      is_child_(false) {}

WorkerProcess::~WorkerProcess() {
  if (pid_ < 0) return;
  kill(SIGKILL);
  wait();
}

void WorkerProcess::kill(int signal) const {
  if (is_child_) return host::signal_child(pid_, signal, uid_);
  host::signal_process(pidfd_.get(), signal, uid_);
}

bool WorkerProcess::ends_within(std::chrono::milliseconds time) const {
  pollfd ended{pidfd_.get(), POLLIN, 0};
  return poll(&ended, 1, static_cast<int>(time.count())) == 1;
}

std::string WorkerProcess::wait() {
  if (!is_child_) {
    pollfd ended{pidfd_.get(), POLLIN, 0};
    while (poll(&ended, 1, -1) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return "unknown, it was started by the monitor before";
  }
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (!WIFSIGNALED(status)) return "status " + std::to_string(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  return "signal " + std::to_string(signal) + " (" + strsignal(signal) + ")";
}

}  // namespace routevpn::monitor
