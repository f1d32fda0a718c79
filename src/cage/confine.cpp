#include "routevpn/cage/confine.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"

#include "landlock.hpp"

namespace routevpn::cage {

namespace {

// The kernel knows fewer; PR_CAPBSET_READ fails from its last capability on.
constexpr unsigned long capability_bits = 64;

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

// Also ends what a program with file capabilities or the user root would gain by execve().
void drop_bounding_set() {
  for (unsigned long capability = 0; capability < capability_bits; ++capability) {
    const int in_set = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (in_set < 0) break;
    require(in_set == 0 || prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0,
            "dropping the bounding set (needs CAP_SETPCAP)");
  }
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

void drop_capabilities() {
  require(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0,
          "clearing the ambient capabilities");
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  require(syscall(SYS_capset, &header, none.data()) == 0, "dropping the capabilities");
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

void limit(decltype(RLIMIT_CORE) resource, const char* what) {
  const rlimit none{0, 0};
  require(setrlimit(resource, &none) == 0, what);
}

// A log that is redirected to a file must grow. Pipes, sockets and the TUN interface have no limit.
void limit_files() {
  limit(RLIMIT_CORE, "RLIMIT_CORE");
  struct stat status {};
  const bool log_is_file = fstat(STDERR_FILENO, &status) == 0 && S_ISREG(status.st_mode);
  if (!log_is_file) limit(RLIMIT_FSIZE, "RLIMIT_FSIZE");
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
    drop_bounding_set();
    changed = change_user(account);
  }
  drop_capabilities();
  if (changed) {
    verify_user(account);
  } else {
    log_info("the worker keeps its user: changing it needs root",
             {{"uid", std::to_string(geteuid())}});
  }
  take_landlock_rights();
  limit_files();
  require(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "PR_SET_DUMPABLE");
  end_with_parent(monitor);
}

}  // namespace routevpn::cage
