// The calls of the packet's path have no conditions on arguments: from Linux 5.11 on the kernel
// then allows them by a bitmap and does not run the filter.
#include "allowed_calls.hpp"

#include <csignal>

#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace routevpn::cage {

namespace {

// The kernel reads only the lower half of an argument that is an int.
constexpr std::uint64_t int_bits = 0xffffffff;

constexpr scmp_arg_cmp int_is(unsigned argument, std::uint32_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, int_bits, value};
}
constexpr scmp_arg_cmp has_none_of(unsigned argument, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, 0};
}

// For the allocator of glibc. Memory never becomes executable, and no file is mapped.
void add_memory(std::vector<AllowedCall>& calls) {
  const auto not_executable = has_none_of(2, PROT_EXEC);
  // Not locked: the unit sets no limit, because the monitor locks its memory.
  constexpr scmp_arg_cmp anonymous{3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS | MAP_LOCKED | MAP_HUGETLB,
                                   MAP_ANONYMOUS};
  for (const int map : {SCMP_SYS(mmap), SCMP_SYS(mmap2)}) {
    calls.push_back({map, {not_executable, anonymous, int_is(4, static_cast<std::uint32_t>(-1))}});
  }
  calls.push_back({SCMP_SYS(mprotect), {not_executable}});
  for (const int call : {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk)}) {
    calls.push_back({call});
  }
}

void add_common(std::vector<AllowedCall>& calls) {
  for (const int call : {
           // eventfd, TUN interface, timers, signals, log
           SCMP_SYS(read),
           SCMP_SYS(write),
           SCMP_SYS(writev),
           // UDP socket, control socket, monitor
           SCMP_SYS(recvmsg),
           SCMP_SYS(sendmsg),
           SCMP_SYS(sendmmsg),
           // poll() is ppoll on AArch64
           SCMP_SYS(poll),
           SCMP_SYS(ppoll),
           SCMP_SYS(ppoll_time64),
           // mutexes, joining threads, LaneControl's wait for a mailbox
           SCMP_SYS(futex),
           SCMP_SYS(futex_time64),
           SCMP_SYS(sched_yield),
           // where the vDSO cannot read the clock source
           SCMP_SYS(clock_gettime),
           SCMP_SYS(clock_gettime64),
           SCMP_SYS(gettimeofday),
           SCMP_SYS(time),
           // OpenSSL, and the lane's challenge of a peer that moves
           SCMP_SYS(getrandom),
           // the end of a thread or of the process
           SCMP_SYS(exit),
           SCMP_SYS(exit_group),
           // signal handlers, abort(), and calls that a stop signal has interrupted
           SCMP_SYS(rt_sigreturn),
           SCMP_SYS(rt_sigprocmask),
           SCMP_SYS(restart_syscall),
           SCMP_SYS(getpid),
           SCMP_SYS(gettid),
       }) {
    calls.push_back({call});
  }
  calls.push_back(
      {SCMP_SYS(tgkill), {int_is(0, static_cast<std::uint32_t>(getpid())), int_is(2, SIGABRT)}});
}

void add_control(std::vector<AllowedCall>& calls) {
  for (const int call : {
           SCMP_SYS(epoll_wait),
           SCMP_SYS(epoll_pwait),
           SCMP_SYS(epoll_ctl),
           SCMP_SYS(timerfd_settime),
           SCMP_SYS(timerfd_settime64),
           // clients of the control socket
           SCMP_SYS(recvfrom),
           SCMP_SYS(sendto),
           SCMP_SYS(close),
           // route look-ups, and the second UDP socket of an acceptor's lane
           SCMP_SYS(connect),
           SCMP_SYS(getsockname),
           // files in memory, which the monitor sends for a reload
           SCMP_SYS(pread64),
       }) {
    calls.push_back({call});
  }
  calls.push_back({SCMP_SYS(accept4), {int_is(3, SOCK_CLOEXEC | SOCK_NONBLOCK)}});
  calls.push_back({SCMP_SYS(getsockopt), {int_is(1, IPPROTO_IP), int_is(2, IP_MTU)}});
  calls.push_back({SCMP_SYS(getsockopt), {int_is(1, IPPROTO_IPV6), int_is(2, IPV6_MTU)}});
  calls.push_back({SCMP_SYS(getsockopt), {int_is(1, SOL_SOCKET), int_is(2, SO_ERROR)}});
  calls.push_back({SCMP_SYS(ioctl), {int_is(1, TUNSETQUEUE)}});
}

}  // namespace

std::vector<AllowedCall> allowed_calls(ThreadRole role, bool may_outlive) {
  std::vector<AllowedCall> calls;
  add_common(calls);
  add_memory(calls);
  if (role == ThreadRole::control) add_control(calls);
  if (role == ThreadRole::control && may_outlive) {
    calls.push_back({SCMP_SYS(prctl), {int_is(0, PR_SET_PDEATHSIG), int_is(1, 0)}});
  }
  return calls;
}

}  // namespace routevpn::cage
