#include "routevpn/host/state_hook.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::host {

void StateHook::require_trusted(const std::string& command) {
  const auto begin = command.find_first_not_of(" \t");
  if (begin == std::string::npos) return;
  const auto program = command.substr(begin, command.find_first_of(" \t;&|<>()", begin) - begin);
  if (program.find('/') == std::string::npos || !exists(program)) return;
  try {
    require_trusted_file(program);
  } catch (const UsageError& error) {
    throw UsageError(std::string("--on-state ") + error.what());
  }
}

void StateHook::run(Environment environment) {
  if (command_.empty()) return;
  if (queued_.size() == max_queued) {
    queued_.pop_front();
    log_warning("--on-state: the command is too slow; the oldest queued state was dropped");
  }
  queued_.push_back(std::move(environment));
  if (running_ < 0) start_next();
}

void StateHook::reap() {
  if (running_ < 0) return;
  int status = 0;
  if (waitpid(running_, &status, WNOHANG) == 0) return;
  running_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    log_warning("--on-state: the command failed", {{"command", command_}});
  }
  start_next();
}

void StateHook::finish(Duration at_most) {
  const Time end = read_clock() + at_most;
  while (!queued_.empty() && running_ > 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - read_clock()).count();
    const Fd process(static_cast<int>(syscall(SYS_pidfd_open, running_, 0)));
    pollfd ended{process.get(), POLLIN, 0};
    if (left <= 0 || (poll(&ended, 1, static_cast<int>(left)) < 0 && errno != EINTR)) break;
    reap();
  }
  if (queued_.empty()) return;
  log_warning("--on-state: the command is too slow; states were not reported",
              {{"states", std::to_string(queued_.size())}});
}

void StateHook::start_next() {
  if (queued_.empty()) return;
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  for (auto& [name, value] : queued_.front()) {
    variables.push_back(std::move(name.append("=").append(value)));
  }
  queued_.pop_front();
  std::vector<char*> environment;
  environment.reserve(variables.size() + 1);
  for (auto& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);

  std::string shell = "sh";
  std::string flag = "-c";
  std::string command = command_;
  char* arguments[] = {shell.data(), flag.data(), command.data(), nullptr};
  // The hook starts with an empty signal mask instead of ours.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t ignored;  // by us
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &ignored);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error =
      posix_spawn(&running_, "/bin/sh", nullptr, &attributes, arguments, environment.data());
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return;
  running_ = -1;
  log_warning("--on-state: cannot run /bin/sh", {{"error", std::strerror(error)}});
}

}  // namespace routevpn::host
