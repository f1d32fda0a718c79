#include "routevpn/host/signal_child.hpp"

#include <csignal>
#include <cstdint>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/host/capabilities.hpp"
#include "routevpn/host/child_process.hpp"

#include "catch.hpp"

using namespace routevpn::host;

namespace {

constexpr uid_t user_of_child = 65534;

enum class SignalReport : std::uint8_t {
  ended = 0,
  not_ended,
  not_forked,
  capabilities_differ,
  is_dumpable
};

pid_t start_child(const Pipe& ready) {
  const pid_t child = fork();
  if (child != 0) return child;
  std::signal(SIGTERM, SIG_DFL);  // not Catch2's handler
  const bool changed = setresuid(user_of_child, user_of_child, user_of_child) == 0 &&
                       prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
  [[maybe_unused]] const auto put = ::write(ready.write_end.get(), changed ? "y" : "n", 1);
  for (;;) pause();
}

// In a process of its own, because it gives up CAP_KILL.
SignalReport signal_without_cap_kill() {
  const Pipe ready = make_pipe();
  char changed = 'n';
  const pid_t child = start_child(ready);
  if (child < 0 || ::read(ready.read_end.get(), &changed, 1) != 1 || changed != 'y')
    return SignalReport::not_forked;
  keep_capabilities({CAP_SETUID, CAP_NET_ADMIN, CAP_SYS_ADMIN});
  const auto before = Capabilities::current();
  signal_child(child, SIGTERM, user_of_child);
  int status = 0;
  for (int i = 0; i < 2000 && waitpid(child, &status, WNOHANG) == 0; ++i) usleep(1000);
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM) return SignalReport::not_ended;
  const auto after = Capabilities::current();
  if (after.effective != before.effective || geteuid() != 0)
    return SignalReport::capabilities_differ;
  return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? SignalReport::ended : SignalReport::is_dumpable;
}

}  // namespace

TEST_CASE("a child with another user is signalled without CAP_KILL") {
  if (geteuid() != 0) return;
  const pid_t process = fork();
  REQUIRE(process >= 0);
  if (process == 0) _exit(static_cast<int>(signal_without_cap_kill()));
  int status = 0;
  REQUIRE(waitpid(process, &status, 0) == process);
  REQUIRE(WIFEXITED(status));
  CHECK(static_cast<SignalReport>(WEXITSTATUS(status)) == SignalReport::ended);
}
