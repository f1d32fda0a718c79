#include "routevpn/host/program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/error.hpp"
#include "routevpn/host/child_process.hpp"

namespace routevpn::host {

namespace {

constexpr std::size_t most_output_bytes = 1024UL * 1024;

// Empty: not found.
std::string path_of(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream directories(std::string(path == nullptr ? "/usr/bin:/bin" : path) +
                                 ":/usr/sbin:/sbin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    std::string file = directory.append("/").append(program);
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

class Actions {
 public:
  Actions() { posix_spawn_file_actions_init(&actions_); }
  ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  void redirect(int from, int to) { posix_spawn_file_actions_adddup2(&actions_, from, to); }
  void open_null(int fd) {
    posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDONLY, 0);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// The child has a process group of its own, so that Ctrl-C ends the caller and not the child. It
// handles signals as usual, whatever the caller blocks and ignores.
class Attributes {
 public:
  Attributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("LC_ALL=")) variables.emplace_back(*variable);
  }
  variables.emplace_back("LC_ALL=C");
  return variables;
}

// A running child: killed by the destructor unless it has been reaped.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    (void)reap();
  }
  int reap() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

// False at the end of the pipe. What is beyond the limit is read and discarded.
bool read_some(const Fd& pipe, std::string& into) {
  std::array<char, 4096> buffer{};
  const auto got = ::read(pipe.get(), buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR;
  const auto room = most_output_bytes - into.size();
  into.append(buffer.data(), std::min(static_cast<std::size_t>(got), room));
  return got > 0;
}

}  // namespace

std::optional<ProgramEnd> run_program(const std::vector<std::string>& words,
                                      std::chrono::milliseconds at_most) {
  const Time end = read_clock() + at_most;
  const auto path = path_of(words.front());
  if (path.empty()) return std::nullopt;
  auto out = make_pipe();
  auto err = make_pipe();
  Actions actions;
  actions.open_null(STDIN_FILENO);
  actions.redirect(out.write_end.get(), STDOUT_FILENO);
  actions.redirect(err.write_end.get(), STDERR_FILENO);
  const Attributes attributes;
  auto arguments = words;
  auto variables = environment();
  pid_t pid = -1;
  const int error = posix_spawn(&pid, path.c_str(), actions.get(), attributes.get(),
                                pointers_to(arguments).data(), pointers_to(variables).data());
  if (error != 0) throw system_error("run " + path, error);
  Child child(pid);
  out.write_end.reset();
  err.write_end.reset();
  ProgramEnd ended{};
  while (out.read_end || err.read_end) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - read_clock()).count();
    std::array<pollfd, 2> ready{{{out.read_end.get(), POLLIN, 0}, {err.read_end.get(), POLLIN, 0}}};
    if (left <= 0 || ::poll(ready.data(), ready.size(), static_cast<int>(left)) == 0) {
      throw SystemError(words.front() + ": has not ended after " +
                        std::to_string(at_most.count() / 1000) + " s");
    }
    if (ready[0].revents != 0 && !read_some(out.read_end, ended.out)) out.read_end.reset();
    if (ready[1].revents != 0 && !read_some(err.read_end, ended.err)) err.read_end.reset();
  }
  ended.status = child.reap();
  return ended;
}

}  // namespace routevpn::host
