#include "routevpn/cage/confine.hpp"

#include <csignal>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/cage/rights.hpp"

#include "landlock.hpp"

namespace routevpn::cage {

namespace {

constexpr unsigned long secure_bits =
    SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

std::string text_of(const Account& account) {
  return "user " + std::to_string(account.uid) + ", group " + std::to_string(account.gid);
}

SystemError fault(const std::string& what) {
  return system_error("confining the worker: " + what);
}

void require(bool done, const char* what) {
  if (!done) throw fault(what);
}

// The C library would open files later and be refused: gmtime_r() that of the time zone, and the
// allocator /proc/sys/vm/overcommit_memory when a second arena shrinks. With one arena the lanes
// share a lock with the control thread, but they allocate nothing after start.
void keep_library_from_files() {
  tzset();
  mallopt(M_ARENA_MAX, 1);
}

void enter_empty_root(int empty_root) {
  require(fchdir(empty_root) == 0 && chroot(".") == 0,
          "entering the empty root directory (needs CAP_SYS_CHROOT)");
}

void forbid_rights_by_execve() {
  require(drop_bounding_set(), "dropping the bounding set (needs CAP_SETPCAP)");
  require(prctl(PR_SET_SECUREBITS, secure_bits, 0, 0, 0) == 0,
          "locking the securebits (needs CAP_SETPCAP)");
}

// False if this user namespace does not map the account: then no process in it can have its user
// id.
bool change_user(const Account& account) {
  const uid_t uid = account.uid;
  const gid_t gid = account.gid;
  if (setresgid(gid, gid, gid) != 0) {
    if (errno == EINVAL) return false;
    throw fault("changing the group for " + text_of(account) + " (needs CAP_SETGID)");
  }
  // setgroups() after setresgid() fails with EPERM in a user namespace that denies it.
  require(setgroups(0, nullptr) == 0, "leaving all groups (needs CAP_SETGID)");
  if (setresuid(uid, uid, uid) != 0) {
    throw fault("changing to " + text_of(account) + " (needs CAP_SETUID)");
  }
  return true;
}

void verify_user(const Account& account) {
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  gid_t real_group = 0;
  gid_t effective_group = 0;
  gid_t saved_group = 0;
  getresuid(&real, &effective, &saved);
  getresgid(&real_group, &effective_group, &saved_group);
  const bool changed = real == account.uid && effective == account.uid && saved == account.uid &&
                       real_group == account.gid && effective_group == account.gid &&
                       saved_group == account.gid && getgroups(0, nullptr) == 0;
  const bool can_return = setresuid(static_cast<uid_t>(-1), 0, static_cast<uid_t>(-1)) == 0 ||
                          setuid(0) == 0 || setgid(0) == 0 || setgroups(0, nullptr) == 0;
  if (!changed || can_return) {
    throw SystemError("confining the worker: the change to " + text_of(account) + " can be undone");
  }
}

// A log that is redirected to a file must grow. Pipes, sockets and the TUN interface have no limit.
void limit_files() {
  require(limit_to_zero(RLIMIT_CORE), "RLIMIT_CORE");
  struct stat status {};
  const bool log_is_file = fstat(STDERR_FILENO, &status) == 0 && S_ISREG(status.st_mode);
  if (!log_is_file) require(limit_to_zero(RLIMIT_FSIZE), "RLIMIT_FSIZE");
}

// The kernel clears the signal when the user changes, so it is set last. A monitor that has ended
// before that would be missed without the check.
void end_with_parent(pid_t monitor) {
  require(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0, "PR_SET_PDEATHSIG");
  if (getppid() != monitor) throw SystemError("the monitor has ended");
}

}  // namespace

Fd make_empty_root(const std::string& parent) {
  std::string path = parent + "/routevpn-root-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) throw system_error("making a directory in " + parent);
  Fd root(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const SystemError not_opened = system_error(path);
  if (rmdir(path.c_str()) != 0) throw system_error("removing " + path);
  if (!root) throw not_opened;
  return root;
}

void confine(const Account& account, int empty_root, pid_t monitor) {
  keep_library_from_files();
  require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
  bool changed = false;
  if (geteuid() == 0) {
    enter_empty_root(empty_root);
    forbid_rights_by_execve();
    changed = change_user(account);
  }
  require(drop_capabilities(), "dropping the capabilities");
  if (changed) {
    verify_user(account);
  } else {
    log_info("the worker keeps its user: changing it needs root",
             {{"uid", std::to_string(geteuid())}});
  }
  drop_landlock_rights();
  limit_files();
  require(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "PR_SET_DUMPABLE");
  end_with_parent(monitor);
}

}  // namespace routevpn::cage
