// The system calls that a thread of the worker may use.
#pragma once

#include <cstdint>

namespace routevpn::cage {

enum class ThreadRole : std::uint8_t {
  control,  // the event loop
  lane,     // the data path
};

// False in a build with AddressSanitizer or ThreadSanitizer, whose run-time libraries need more
// system calls: then restrict_system_calls() only logs a warning.
bool can_restrict_system_calls();

// Installs the handler of SIGSYS for the process. Without it a refused system call kills the
// process. Throws SystemError.
void install_refusal_handler();

// Installs the seccomp filter of `role` for the calling thread, which cannot remove it. The filter
// also is that of every thread that it starts, so lanes start before their control thread restricts
// itself. A system call that is not allowed is not executed: it fails with EPERM and is counted. A
// system call of a foreign architecture kills the process. With ThreadRole::control the process
// cannot start threads any more (RLIMIT_NPROC). `may_outlive`: the control thread may undo the
// signal that ends the process with its parent, and nothing else by prctl(2). Needs no_new_privs or
// CAP_SYS_ADMIN. Throws SystemError.
void restrict_system_calls(ThreadRole role, bool may_outlive = false);

struct RefusedCalls {
  std::uint64_t count = 0;
  int last = -1;  // number of the last refused system call; -1: none
};

// Of all threads since the start of the process. Not counted on architectures other than x86-64 and
// AArch64, where the kernel makes the call fail without a signal.
RefusedCalls refused_system_calls();

}  // namespace routevpn::cage
