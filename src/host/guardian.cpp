#include "routevpn/host/guardian.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <optional>
#include <sstream>

#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/host/capabilities.hpp"

#include "backstop_routes.hpp"
#include "link_nftables.hpp"
#include "nat.hpp"
#include "policy_rules.hpp"

namespace routevpn::host {

namespace {

// The first byte of the guardian's report. The text of a failure follows, or after `done` a line
// with the families whose forwarding is to be switched off again and the netlink messages that
// remove rules and routes.
enum Outcome : char { done = 'D', usage_failure = 'U', system_failure = 'S' };

// The guardian's ends of the pipes to the monitor.
// The first pipe brings the name of the interface, filled with zeros to IFNAMSIZ bytes. It is at
// end of file once the monitor has ended.
constexpr int life_pipe = STDIN_FILENO;
constexpr int report_pipe = STDOUT_FILENO;  // written once, after set-up

// Far more than the removals of all routes of a link: 64 bytes each.
constexpr std::size_t max_report_bytes = std::size_t{1} << 20;

// A terminal or a service manager that ends the monitor signals the guardian too, which must still
// undo its work.
void ignore_signals() {
  setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}) {
    std::signal(number, SIG_IGN);
  }
  std::signal(SIGCHLD, SIG_DFL);
}

void report(Outcome outcome, const std::string& text) {
  const Fd pipe(report_pipe);
  try {
    write_all(pipe, static_cast<char>(outcome) + text, "the guardian's report");
  } catch (const SystemError& error) {  // the monitor has ended
    log_error(error.what());
  }
}

// Returns when the monitor or nft has ended.
void wait_for_end(const LinkNftables* table) {
  std::array<pollfd, 2> watched{{{life_pipe, 0, 0}, {table ? table->errors_fd() : -1, 0, 0}}};
  while (watched[0].revents == 0 && watched[1].revents == 0) {
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) {
      return log_error(system_error("waiting for the end of the link").what());
    }
  }
  if (watched[0].revents == 0) log_error("nft has ended, and the link's nftables table with it");
}

// None if the monitor ends first.
std::optional<std::string> wait_for_name() {
  std::array<char, IFNAMSIZ> name{};
  if (::read(life_pipe, name.data(), name.size()) != static_cast<ssize_t>(name.size())) {
    return std::nullopt;
  }
  return std::string(name.data(), strnlen(name.data(), name.size()));
}

void guard(const GuardianDuties& duties, const Netns& where) {
  if (!where.same_as(Netns::current())) where.enter();
  keep_capabilities({CAP_NET_ADMIN});  // also of nft, which it executes
  // Other inherited descriptors would keep sockets and pipes of the monitor alive after its end.
  close_range(STDERR_FILENO + 1, UINT_MAX, 0);
  const auto ifname = wait_for_name();
  if (!ifname) return;
  Additions additions;
  if (duties.fwmark != 0 && duties.table != 0) {
    add_backstop_routes(additions, duties.table, duties.routes);
    add_policy_rules(additions, duties.fwmark, duties.table, duties.ipv4, duties.ipv6);
  }
  std::optional<LinkNftables> table;
  if (duties.nat || duties.routed_sources) table.emplace(*ifname, duties);
  std::string forwarding;
  for (const auto& family : table ? table->forwarding() : std::vector<std::string>()) {
    forwarding.append(family).append(" ");
  }
  report(done, forwarding.append("\n").append(additions.removals()));
  wait_for_end(table ? &*table : nullptr);
}

// Ends the process in every case: it must not continue as a second monitor.
[[noreturn]] void run_guardian(const GuardianDuties& duties, const Netns& where) noexcept {
  ignore_signals();
  prctl(PR_SET_NAME, "routevpn-guard");
  try {
    guard(duties, where);
    _exit(static_cast<int>(Exit::stopped));
  } catch (const UsageError& error) {
    report(usage_failure, error.what());
  } catch (const std::exception& error) {
    report(system_failure, error.what());
  }
  _exit(static_cast<int>(Exit::failed));
}

}  // namespace

Guardian Guardian::fork_early(const GuardianDuties& duties, const Netns& where) {
  Pipe life = make_pipe();
  Pipe report = make_pipe();
  const pid_t pid = fork();
  if (pid < 0) throw system_error("starting the guardian process");
  if (pid == 0) {
    dup2(life.read_end.get(), life_pipe);
    dup2(report.write_end.get(), report_pipe);
    run_guardian(duties, where);
  }
  return {PipedChild{pid, std::move(life.write_end)},
          Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))), std::move(report.read_end)};
}

Guardian Guardian::adopt(pid_t pid, Fd pipe, Fd ended, Leftovers leftovers) {
  Fd copy(fcntl(ended.get(), F_DUPFD_CLOEXEC, 0));
  Guardian guardian(PipedChild{pid, std::move(pipe), std::move(copy)}, std::move(ended), Fd());
  guardian.leftovers_ = std::move(leftovers);
  return guardian;
}

// If the guardian failed, it has undone everything, and it exits.
void Guardian::begin(const std::string& ifname) {
  std::array<char, IFNAMSIZ> name{};
  ifname.copy(name.data(), name.size() - 1);
  // If the write fails, the guardian has ended, and its report may hold the reason.
  [[maybe_unused]] const auto put = ::write(process_.pipe(), name.data(), name.size());
  std::string answer(max_report_bytes, '\0');
  const bool complete = read_all(report_, answer);
  report_.reset();
  if (!complete || answer.empty()) {
    throw SystemError("the guardian process ended before its work was done");
  }
  if (answer[0] == usage_failure) throw UsageError(answer.substr(1));
  if (answer[0] == system_failure) throw SystemError(answer.substr(1));
  const std::size_t line_end = answer.find('\n');
  leftovers_.table = link_nftables_name(ifname);
  std::istringstream families(answer.substr(1, line_end - 1));
  for (std::string family; families >> family;) leftovers_.forwarding.push_back(family);
  leftovers_.removals = answer.substr(line_end + 1);
}

Guardian::Guardian(PipedChild process, Fd ended, Fd report)
    : process_(std::move(process)), ended_(std::move(ended)), report_(std::move(report)) {
  if (!ended_) throw system_error("watching the guardian process");
}

bool Guardian::exited_by_itself() const {
  siginfo_t info{};
  const auto pid = static_cast<id_t>(process_.pid());
  return waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0 && info.si_code == CLD_EXITED;
}

void Guardian::undo(const Netns& where) {
  if (exited_by_itself()) return;
  const NetnsScope scope(where);
  switch_off_forwarding(leftovers_.table, leftovers_.forwarding);
  remove_additions(std::move(leftovers_.removals));
}

}  // namespace routevpn::host
