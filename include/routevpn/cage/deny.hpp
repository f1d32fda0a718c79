// What a process gives up that only reads files and asks other machines, such as a resolver. A list
// of what it may do would have to follow the name services that a machine is set up with.
#pragma once

namespace routevpn::cage {

// Afterwards the calling process, which must have one thread only, fails with EPERM when it
//   - changes a file or directory (Landlock, Linux 5.13),
//   - signals, traces or reschedules another process, or executes a program,
//   - changes namespaces, mounts or the root directory,
//   - uses BPF, performance events, io_uring, userfaultfd or the key rings.
// Needs no_new_privs. In a build with a sanitizer only Landlock takes effect, see
// can_restrict_system_calls(). Throws SystemError.
void deny_harm();

}  // namespace routevpn::cage
