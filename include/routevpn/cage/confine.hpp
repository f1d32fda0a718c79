// What a worker gives up before it reads the first byte from the network, except for system calls
// (system_calls.hpp).
#pragma once

#include <string>

#include <sys/types.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/cage/account.hpp"

namespace routevpn::cage {

// A directory below `parent` that is removed already: nothing can be made in it. Throws
// SystemError.
Fd make_empty_root(const std::string& parent);

// Confines the calling process, which must have one thread only. Afterwards the process
//   - has the root directory `empty_root`, which the caller closes, and no rights by Landlock,
//   - has the user and group of `account`, no further group, and no capability in any set,
//   - cannot gain privileges, is not dumped or traced, and writes no file,
//   - is killed when its parent ends.
// The allocator keeps to one arena, so that it opens no file later.
// Without root (effective user id not 0, or a user namespace that does not map `account`) the
// process keeps its user, and the log has a line about it. With an effective user id other than 0
// it also keeps its root directory and bounding set. Open descriptors stay usable. RLIMIT_NPROC
// counts all links of the user, so only restrict_system_calls() limits it. Throws SystemError; the
// caller must end then, because the confinement is incomplete. It also throws if `monitor` is not
// the parent: it has ended.
void confine(const Account& account, int empty_root, pid_t monitor);

}  // namespace routevpn::cage
