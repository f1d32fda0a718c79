#include "routevpn/cage/deny.hpp"

#include <array>
#include <cerrno>
#include <string>

#include <seccomp.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/cage/system_calls.hpp"

#include "landlock.hpp"

namespace routevpn::cage {

namespace {

constexpr std::array denied_calls{
    // other processes: they may have the same user
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise), SCMP_SYS(kcmp), SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(tgkill),
    SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_setattr), SCMP_SYS(sched_setparam), SCMP_SYS(sched_setscheduler),
    SCMP_SYS(setpriority), SCMP_SYS(ioprio_set), SCMP_SYS(migrate_pages), SCMP_SYS(move_pages),
    SCMP_SYS(prlimit64), SCMP_SYS(setrlimit),
    // programs
    SCMP_SYS(execve), SCMP_SYS(execveat),
    // namespaces, mounts
    SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(mount),
    SCMP_SYS(umount2), SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
    // the kernel's larger interfaces
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register), SCMP_SYS(add_key), SCMP_SYS(request_key),
    SCMP_SYS(keyctl)};

void require(int result) {
  if (result < 0) throw system_error("denying system calls", -result);
}

}  // namespace

void deny_harm() {
  drop_landlock_rights(LandlockRights::to_change);
  if (!can_restrict_system_calls()) return;
  const Owned<void, seccomp_release> filter(seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) throw SystemError("denying system calls: seccomp_init failed");
  require(seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
  for (const int call : denied_calls) {
    if (call < 0) continue;  // this architecture does not have it
    require(seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0));
  }
  require(seccomp_load(filter.get()));
}

}  // namespace routevpn::cage
