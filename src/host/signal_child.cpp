#include "routevpn/host/signal_child.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/host/capabilities.hpp"

namespace routevpn::host {

namespace {

// The kernel makes all permitted capabilities effective when the effective user becomes root again,
// and may make the process dumpable (sysctl fs.suid_dumpable). Real and saved user stay root's, so
// processes of `uid` can neither signal nor trace this process meanwhile.
void signal_as(uid_t uid, const std::function<int()>& send) {
  if (send() == 0 || errno != EPERM) return;
  try {
    const uid_t own = geteuid();
    const auto capabilities = Capabilities::current();
    if (seteuid(uid) != 0) {
      log_error(system_error("signalling a child process").what());
      return;
    }
    send();
    if (seteuid(own) != 0) throw system_error("seteuid");
    capabilities.apply();
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  } catch (const SystemError& error) {  // not abort(): a core would hold the private key
    log_error("the process cannot return to its own user and capabilities, so it ends",
              {{"error", error.what()}});
    std::_Exit(static_cast<int>(Exit::failed));
  }
}

}  // namespace

void signal_child(pid_t child, int signal, uid_t uid) {
  signal_as(uid, [=] { return ::kill(child, signal); });
}

void signal_process(int pidfd, int signal, uid_t uid) {
  signal_as(uid, [=] {
    return static_cast<int>(syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
  });
}

}  // namespace routevpn::host
