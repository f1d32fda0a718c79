// A signal from a process of root to a child that has changed its user.
#pragma once

#include <sys/types.h>

namespace routevpn::host {

// `uid`: the user of the child. Without CAP_KILL, which the unit does not grant, the thread has
// that effective user while it sends the signal. The process must have one thread. Errors are
// ignored: the child may have ended.
void signal_child(pid_t child, int signal, uid_t uid);

}  // namespace routevpn::host
