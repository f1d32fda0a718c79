// Rights that a process gives up and cannot get back. These functions allocate nothing and take no
// lock, so a child process may call them between fork() and execve(). Each returns false, with
// errno, if the kernel refuses.
#pragma once

#include <sys/resource.h>

namespace routevpn::cage {

// Empties the bounding set. Then execve() of a program with file capabilities, or by user 0, adds
// no capability. Needs CAP_SETPCAP.
bool drop_bounding_set();

// Empties the ambient, effective, permitted and inheritable set.
bool drop_capabilities();

// Sets the soft and the hard limit to 0.
bool limit_to_zero(decltype(RLIMIT_CORE) resource);

}  // namespace routevpn::cage
