// A signal from a process of root to a child that has changed its user.
#pragma once

#include <sys/types.h>

namespace routevpn::host {

// `uid`: the user of the child. Without CAP_KILL, which the unit does not grant, the thread has
// that effective user while it sends the signal. The process must have one thread. A signal that
// cannot be sent is ignored: the child may have ended. The process ends if it cannot return to its
// own user and capabilities.
void signal_child(pid_t child, int signal, uid_t uid);
// The same for a process that need not be a child.
void signal_process(int pidfd, int signal, uid_t uid);

}  // namespace routevpn::host
