#include "program.hpp"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/host/child_process.hpp"

namespace routevpn::doctor {

namespace {

using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::steady_clock;

constexpr std::size_t most_output_bytes = 16UL * 1024 * 1024;  // of a large ruleset
// The environment is fixed, so that the language of an answer is, too.
constexpr const char* environment_path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
constexpr const char* environment_language = "LC_ALL=C";

std::optional<std::string> path_of(const std::string& program) {
  for (const char* const directory : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    std::string path = directory + program;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

// How a child gets its descriptors.
class Actions {
 public:
  explicit Actions(int output) {
    if (posix_spawn_file_actions_init(&actions_) != 0) throw SystemError("no memory");
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  ~Actions() { posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

pid_t spawn(const std::string& path, std::vector<std::string> words, int output) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<std::string, 2> variables = {environment_path, environment_language};
  std::array<char*, 3> environment = {variables[0].data(), variables[1].data(), nullptr};
  const Actions actions(output);
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, path.c_str(), actions.get(), nullptr, arguments.data(), environment.data());
  if (error != 0) throw system_error(path, error);
  return pid;
}

// False: not all of it came within the limit.
bool read_output(const Fd& from, std::string& output, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  std::array<char, 16384> buffer{};
  while (output.size() < most_output_bytes) {
    const auto left = duration_cast<milliseconds>(deadline - steady_clock::now());
    pollfd waiting{from.get(), POLLIN, 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready == 0) return false;
    const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
    if (n == 0) return true;
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) output.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return false;
}

}  // namespace

std::optional<ProgramResult> run_program(const std::vector<std::string>& words,
                                         std::chrono::milliseconds limit) {
  const auto path = path_of(words.front());
  if (!path) return std::nullopt;
  auto [read_end, write_end] = host::make_pipe();
  const pid_t pid = spawn(*path, words, write_end.get());
  write_end.reset();
  ProgramResult result;
  if (!read_output(read_end, result.output, limit)) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

}  // namespace routevpn::doctor
