#include "routevpn/host/guardian.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

#include "backstop_routes.hpp"
#include "nat.hpp"
#include "pipe.hpp"
#include "policy_rules.hpp"

namespace routevpn::host {

namespace {

// How the guardian's report begins; the text of the failure follows.
enum Verdict : char { done = 'D', usage_failure = 'U', system_failure = 'S' };

// The guardian's ends of the two pipes to the link's process.
struct Line {
  int life;    // closes at the other end when the link's process ends
  int report;  // how the duties went, once
};

// Whatever ends the link's process, from the terminal or from the service manager, must leave the
// guardian to do its work.
void outlive_signals() {
  setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}) {
    std::signal(number, SIG_IGN);
  }
  std::signal(SIGCHLD, SIG_DFL);
}

// Every other descriptor of the link's process, its interface and sockets, would live on in here.
void keep_only(const Line& line) {
  const auto low = static_cast<unsigned>(std::min(line.life, line.report));
  const auto high = static_cast<unsigned>(std::max(line.life, line.report));
  constexpr unsigned first = STDERR_FILENO + 1;
  if (low > first) close_range(first, low - 1, 0);
  if (high > low + 1) close_range(low + 1, high - 1, 0);
  close_range(high + 1, UINT_MAX, 0);
  const Fd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
  dup2(nowhere.get(), STDIN_FILENO);
  dup2(nowhere.get(), STDOUT_FILENO);
}

void enter(const Netns& where) {
  if (!where.same_as(Netns::current()) && setns(where.fd(), CLONE_NEWNET) != 0) {
    throw system_error("entering a network namespace (needs CAP_SYS_ADMIN)");
  }
}

void report(int fd, Verdict verdict, const std::string& text) {
  const std::string message = static_cast<char>(verdict) + text;
  if (::write(fd, message.data(), message.size()) < 0) log_error(text);
  ::close(fd);
}

void wait_for_end(int life, const Nat* nat) {
  std::array<pollfd, 2> watched{{{life, 0, 0}, {nat ? nat->table().complaints_fd() : -1, 0, 0}}};
  while (watched[0].revents == 0) {
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[1].revents == 0) continue;
    log_error("nft has ended: --nat is no longer in force");
    watched[1].fd = -1;
  }
}

void stand_guard(const GuardianDuties& duties, const Netns& where, const Line& line) {
  enter(where);
  keep_only(line);
  std::optional<BackstopRoutes> backstop;
  std::optional<PolicyRules> rules;
  if (duties.fwmark != 0 && duties.table != 0) {
    backstop.emplace(duties.table, duties.routes);
    rules.emplace(duties.fwmark, duties.table, duties.ipv4, duties.ipv6);
  }
  std::optional<Nat> nat;
  if (duties.nat) nat.emplace(duties.ifname, duties.ipv6);
  report(line.report, done, "");
  wait_for_end(line.life, nat ? &*nat : nullptr);
}

// Never returns into what the link's process was about to do: whatever happens, it ends here.
[[noreturn]] void be_guardian(const GuardianDuties& duties, const Netns& where,
                              const Line& line) noexcept {
  outlive_signals();
  prctl(PR_SET_NAME, "routevpn-guard");
  try {
    stand_guard(duties, where, line);
    _exit(static_cast<int>(Exit::stopped));
  } catch (const UsageError& error) {
    report(line.report, usage_failure, error.what());
  } catch (const std::exception& error) {
    report(line.report, system_failure, error.what());
  }
  _exit(static_cast<int>(Exit::failed));
}

std::string read_report(const Fd& fd) {
  std::string text;
  std::array<char, 512> part{};
  for (;;) {
    const ssize_t got = ::read(fd.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Guardian Guardian::start(const GuardianDuties& duties, const Netns& where) {
  Pipe life = make_pipe();
  Pipe report = make_pipe();
  const pid_t pid = fork();
  if (pid < 0) throw system_error("starting the guardian process");
  if (pid == 0) be_guardian(duties, where, {life.read_end.get(), report.write_end.get()});
  report.write_end.reset();

  // When it failed, it has undone all by now, and is waited for on the way out.
  Guardian guardian(pid, std::move(life.write_end));
  const std::string answer = read_report(report.read_end);
  if (answer.empty()) throw SystemError("the guardian process ended before its work was done");
  if (answer[0] == usage_failure) throw UsageError(answer.substr(1));
  if (answer[0] == system_failure) throw SystemError(answer.substr(1));
  return guardian;
}

Guardian::~Guardian() {
  if (!pipe_) return;
  pipe_.reset();
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace routevpn::host
