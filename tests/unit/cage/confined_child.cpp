#include "confined_child.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <exception>
#include <filesystem>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/cage/confine.hpp"
#include "routevpn/cage/system_calls.hpp"

#include "catch.hpp"

namespace routevpn::test {

namespace {

constexpr unsigned deadline_s = 20;
constexpr char observe_mark = '\x01';

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

[[noreturn]] void run(const std::function<void(const Report&)>& body, const Report& report) {
  for (const int number : {SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGTERM}) {
    std::signal(number, SIG_DFL);
  }
  alarm(deadline_s);
  try {
    body(report);
  } catch (const std::exception& error) {
    report.fault(error.what());
  }
  _exit(0);
}

}  // namespace

void Report::fault(const std::string& line) const {
  const std::string text = line + "\n";
  [[maybe_unused]] const auto put = write(pipe_, text.data(), text.size());
}

void Report::be_observed() const {
  char answer = 0;
  if (write(pipe_, &observe_mark, 1) != 1 || read(resume_, &answer, 1) != 1) {
    fault("the parent does not observe");
  }
}

Ended run_in_child(const std::function<void(const Report&)>& body,
                   const std::function<void(pid_t)>& observe) {
  Pipe faults = make_pipe();
  const Pipe resume = make_pipe();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) run(body, Report(faults.write_end.get(), resume.read_end.get()));
  faults.write_end.reset();
  Ended ended;
  std::array<char, 4096> text{};
  ssize_t got = 0;
  while ((got = read(faults.read_end.get(), text.data(), text.size())) > 0) {
    ended.report.append(text.data(), static_cast<std::size_t>(got));
    if (std::erase(ended.report, observe_mark) == 0) continue;
    observe(child);
    REQUIRE(write(resume.write_end.get(), "", 1) == 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) ended.exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

void confine_as_nobody() {
  const Fd root = cage::make_empty_root(std::filesystem::temp_directory_path());
  cage::confine(cage::find_account("nobody"), root.get(), getppid());
}

bool can_restrict_or_warn() {
  if (cage::can_restrict_system_calls()) return true;
  WARN("skipped: a build with this sanitizer does not restrict system calls");
  return false;
}

bool is_root_or_warn() {
  if (geteuid() == 0) return true;
  WARN("skipped: only root can change user and root directory");
  return false;
}

}  // namespace routevpn::test
