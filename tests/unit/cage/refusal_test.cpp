// What an attacker in the worker would try.
#include <cerrno>
#include <csignal>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/cage/system_calls.hpp"

#include "attempts.hpp"
#include "catch.hpp"
#include "confined_child.hpp"

using namespace routevpn;
using namespace routevpn::cage;
using namespace routevpn::test;

namespace {

void try_all(const std::vector<attempts::Attempt>& attempts, const Report& report) {
  for (const auto& [what, number, a] : attempts) {
    const auto before = refused_system_calls().count;
    errno = 0;
    const long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    report.check(result == -1 && errno == EPERM, what + " does not fail with EPERM");
    const auto after = refused_system_calls();
    report.check(after.count == before + 1 && after.last == number, what + " is not counted");
  }
}

}  // namespace

TEST_CASE("a worker can open, make, execute, trace, signal and change nothing") {
  if (!can_restrict_or_warn()) return;
  const auto role = GENERATE(ThreadRole::lane, ThreadRole::control);
  CAPTURE(static_cast<int>(role));
  auto* const list = GENERATE(attempts::on_files, attempts::on_sockets, attempts::on_processes,
                              attempts::on_privileges, attempts::on_executable_memory);
  const auto ended = run_in_child([&](const Report& report) {
    const auto all = list();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_refusal_handler();
    restrict_system_calls(role);
    try_all(all, report);
  });
  CHECK(ended.report == "");
  CHECK(ended.signal == 0);
  CHECK(ended.exit_status == 0);
}

TEST_CASE("the control thread's calls with other arguments are refused") {
  if (!can_restrict_or_warn()) return;
  static int value = 0;
  static socklen_t length = sizeof value;
  const auto ended = run_in_child([](const Report& report) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_refusal_handler();
    restrict_system_calls(ThreadRole::control);
    try_all(
        {{"accept4 without flags", SYS_accept4, {0, 0, 0, 0}},
         {"SO_PEERCRED",
          SYS_getsockopt,
          {0, SOL_SOCKET, SO_PEERCRED, attempts::argument(&value), attempts::argument(&length)}},
         {"IP_MTU of another level",
          SYS_getsockopt,
          {0, IPPROTO_IPV6, IP_MTU, attempts::argument(&value), attempts::argument(&length)}}},
        report);
  });
  CHECK(ended.report == "");
}

#ifdef __x86_64__
TEST_CASE("a system call of another architecture kills the process") {
  if (!can_restrict_or_warn()) return;
  const auto enter_lane = [] {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_refusal_handler();
    restrict_system_calls(ThreadRole::lane);
  };
  const auto x32 = run_in_child([&](const Report&) {
    enter_lane();
    constexpr long x32_bit = 0x40000000;
    syscall(x32_bit | SYS_getpid);
  });
  CHECK(x32.signal == SIGSYS);
  const auto i386 = run_in_child([&](const Report&) {
    enter_lane();
    long result = 20;  // getpid
    asm volatile("int $0x80" : "+a"(result) : : "memory");
  });
  CHECK((i386.signal == SIGSYS || i386.signal == SIGSEGV));  // SIGSEGV: the kernel has no i386
}
#endif
