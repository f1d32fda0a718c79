// Every system call number that is not on this test's own list is refused; those on it work.
#include "routevpn/cage/system_calls.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "routevpn/base/owned.hpp"

#include "catch.hpp"
#include "confined_child.hpp"

using namespace routevpn;
using namespace routevpn::cage;
using namespace routevpn::test;

namespace {

constexpr long last_number = 500;  // Linux 6.18 ends at 470

const std::set<long> lane_calls = {
    SYS_read,          SYS_write,          SYS_writev,
    SYS_recvmsg,       SYS_sendmsg,        SYS_sendmmsg,
    SYS_ppoll,         SYS_futex,          SYS_sched_yield,
    SYS_clock_gettime, SYS_gettimeofday,   SYS_exit,
    SYS_exit_group,    SYS_rt_sigreturn,   SYS_getpid,
    SYS_gettid,        SYS_rt_sigprocmask, SYS_restart_syscall,
    SYS_munmap,        SYS_mremap,         SYS_madvise,
    SYS_brk,           SYS_getrandom,
#ifdef SYS_poll
    SYS_poll,          SYS_time,
#endif
};
const std::set<long> control_calls = {
    SYS_epoll_pwait, SYS_epoll_ctl, SYS_timerfd_settime, SYS_recvfrom, SYS_sendto,
    SYS_close,       SYS_connect,   SYS_getsockname,     SYS_pread64,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
};
// The first three do not return. The kernel itself lets uretprobe (335, Linux 6.11) and uprobe
// (336) past every filter, and kills a caller that is not its own trampoline.
const std::set<long> not_called = {SYS_exit, SYS_exit_group, SYS_rt_sigreturn, 335, 336};

bool is_allowed(ThreadRole role, long number) {
  return lane_calls.contains(number) ||
         (role == ThreadRole::control && control_calls.contains(number));
}

void enter(ThreadRole role) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  install_refusal_handler();
  restrict_system_calls(role);
}

// The child restricts itself to `role` and then runs the body.
Ended run_as(ThreadRole role, const std::function<void(const Report&)>& body) {
  return run_in_child([&](const Report& report) {
    enter(role);
    body(report);
  });
}

// No pointer, descriptor, signal or flag has this value, so an allowed call does nothing.
long call_with_bad_arguments(long number) {
  errno = 0;
  return syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
}

void check_every_number(ThreadRole role, const Report& report) {
  for (long number = 0; number <= last_number; ++number) {
    if (not_called.contains(number)) continue;
    const auto before = refused_system_calls().count;
    const long result = call_with_bad_arguments(number);
    const int error = errno;
    const auto after = refused_system_calls();
    const std::string name = "system call " + std::to_string(number);
    if (is_allowed(role, number)) {
      report.check(after.count == before, name + " is refused");
    } else {
      report.check(result == -1 && error == EPERM, name + " does not fail with EPERM");
      report.check(after.count == before + 1 && after.last == number, name + " is not counted");
    }
  }
}

void check_nothing_refused(const Report& report) {
  const auto refused = refused_system_calls();
  report.check(refused.count == 0, std::to_string(refused.count) + " refused, the last " +
                                       std::to_string(refused.last));
}

// What code in every thread does.
void use_memory_and_locks(const Report& report) {
  std::vector<std::unique_ptr<char[]>> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(std::make_unique<char[]>(10'000));
  blocks.push_back(std::make_unique<char[]>(10'000'000));
  blocks.clear();
  std::mutex mutex;
  const std::lock_guard lock(mutex);
  const std::time_t now = std::time(nullptr);
  std::tm broken_down{};
  report.check(gmtime_r(&now, &broken_down) != nullptr, "gmtime_r");
  try {
    throw std::runtime_error("x");
  } catch (const std::runtime_error&) {
  }
}

void use_wakeups(const Report& report, const Fd& event) {
  report.check(eventfd_write(event.get(), 1) == 0, "eventfd_write");
  pollfd watched{event.get(), POLLIN, 0};
  report.check(poll(&watched, 1, 1000) == 1, "poll");
  eventfd_t count = 0;
  report.check(eventfd_read(event.get(), &count) == 0 && count == 1, "eventfd_read");
}

}  // namespace

TEST_CASE("every system call that is not on the list of a role is refused and counted") {
  if (!can_restrict_or_warn()) return;
  const auto role = GENERATE(ThreadRole::lane, ThreadRole::control);
  CAPTURE(static_cast<int>(role));
  const auto ended =
      run_as(role, [role](const Report& report) { check_every_number(role, report); });
  CHECK(ended.report == "");
  CHECK(ended.signal == 0);
  CHECK(ended.exit_status == 0);
}

TEST_CASE("memory, locks, wakeups, exceptions and the end of a thread work in every role") {
  if (!can_restrict_or_warn()) return;
  const auto role = GENERATE(ThreadRole::lane, ThreadRole::control);
  CAPTURE(static_cast<int>(role));
  const auto ended = run_in_child([role](const Report& report) {
    confine_as_nobody();
    install_refusal_handler();
    const Fd event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    std::thread thread([&] {
      restrict_system_calls(role);
      use_memory_and_locks(report);
      use_wakeups(report, event);
    });
    thread.join();
    check_nothing_refused(report);
  });
  CHECK(ended.report == "");
  CHECK(ended.exit_status == 0);
}

TEST_CASE("a filter is that of its thread only") {
  if (!can_restrict_or_warn()) return;
  const auto ended = run_in_child([](const Report& report) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_refusal_handler();
    std::thread([] { restrict_system_calls(ThreadRole::lane); }).join();
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    report.check(static_cast<bool>(socket), "the other thread cannot open a socket");
    check_nothing_refused(report);
  });
  CHECK(ended.report == "");
}

TEST_CASE("the control thread's loop and route look-up work") {
  if (!can_restrict_or_warn()) return;
  const auto ended = run_in_child([](const Report& report) {
    const Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    const Fd timer(timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
    Fd lookup(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP));
    enter(ThreadRole::control);
    epoll_event event{EPOLLIN, {}};
    report.check(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, timer.get(), &event) == 0, "epoll_ctl");
    const itimerspec soon{{}, {0, 1}};
    report.check(timerfd_settime(timer.get(), 0, &soon, nullptr) == 0, "timerfd_settime");
    report.check(epoll_wait(epoll.get(), &event, 1, 1000) == 1, "epoll_wait");
    sockaddr_in to{AF_INET, htons(9), {htonl(INADDR_LOOPBACK)}, {}};
    report.check(connect(lookup.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0,
                 "connect");
    int mtu = 0;
    socklen_t length = sizeof mtu;
    report.check(getsockopt(lookup.get(), IPPROTO_IP, IP_MTU, &mtu, &length) == 0 && mtu > 0,
                 "IP_MTU");
    const sockaddr none{AF_UNSPEC, {}};
    report.check(connect(lookup.get(), &none, sizeof none) == 0, "connect to AF_UNSPEC");
    std::array<char, 16> bytes{};
    report.check(getrandom(bytes.data(), bytes.size(), 0) == 16, "getrandom");
    ioctl(lookup.get(), TUNSETQUEUE, nullptr);  // no TUN interface, but not refused
    accept4(lookup.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    lookup.reset();
    check_nothing_refused(report);
  });
  CHECK(ended.report == "");
}

TEST_CASE("only a control thread that may outlive the monitor undoes the signal of its end") {
  if (!can_restrict_or_warn()) return;
  const auto role = GENERATE(ThreadRole::lane, ThreadRole::control);
  const bool may_outlive = GENERATE(true, false);
  CAPTURE(static_cast<int>(role), may_outlive);
  const auto ended = run_in_child([=](const Report& report) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_refusal_handler();
    restrict_system_calls(role, may_outlive);
    const bool undone = prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0;
    report.check(undone == (may_outlive && role == ThreadRole::control), "PR_SET_PDEATHSIG 0");
    report.check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0, "PR_SET_PDEATHSIG 9");
    report.check(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0, "PR_SET_DUMPABLE");
    report.check(prctl(PR_SET_NAME, "x", 0, 0, 0) != 0, "PR_SET_NAME");
  });
  CHECK(ended.report == "");
  CHECK(ended.exit_status == 0);
}

TEST_CASE("abort() ends the process by SIGABRT") {
  if (!can_restrict_or_warn()) return;
  const auto role = GENERATE(ThreadRole::lane, ThreadRole::control);
  const auto ended = run_as(role, [](const Report&) { std::abort(); });
  CHECK(ended.signal == SIGABRT);
}

TEST_CASE("a signal SIGSYS from another process is not counted") {
  if (!can_restrict_or_warn()) return;
  const auto ended = run_in_child([](const Report& report) {
    install_refusal_handler();
    raise(SIGSYS);
    check_nothing_refused(report);
  });
  CHECK(ended.report == "");
  CHECK(ended.exit_status == 0);
}

TEST_CASE("a thread with every signal blocked goes on after a refused system call") {
  if (!can_restrict_or_warn()) return;
  const auto ended = run_in_child([](const Report& report) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    enter(ThreadRole::lane);
    report.check(call_with_bad_arguments(SYS_socket) == -1 && errno == EPERM, "socket");
  });
  CHECK(ended.report == "");
  CHECK(ended.signal == 0);
}

TEST_CASE("the control thread's filter comes with a limit of no further thread") {
  if (!can_restrict_or_warn()) return;
  const auto ended = run_in_child([](const Report& report) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    std::thread([] { restrict_system_calls(ThreadRole::control); }).join();
    rlimit threads{1, 1};
    report.check(getrlimit(RLIMIT_NPROC, &threads) == 0 && threads.rlim_max == 0, "RLIMIT_NPROC");
  });
  CHECK(ended.report == "");
}
