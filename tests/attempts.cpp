#include "attempts.hpp"

#include <csignal>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace routevpn::test::attempts {

namespace {

// Above the greatest pid_max, so that an allowed signal would hit no process.
constexpr long no_process = 1L << 23;
constexpr int highest_family = 45;  // AF_MCTP

}  // namespace

std::vector<Attempt> on_files() {
  std::vector<Attempt> attempts;
  for (const char* path :
       {"/etc/passwd", "/proc/self/mem", "/dev/net/tun", "/", ".", "..", "etc/passwd"}) {
    attempts.push_back({std::string("openat ") + path,
                        SYS_openat,
                        {AT_FDCWD, argument(path), O_RDONLY | O_CLOEXEC}});
#ifdef SYS_open
    attempts.push_back({std::string("open ") + path, SYS_open, {argument(path), O_RDONLY}});
#endif
  }
  attempts.push_back({"memfd_create", SYS_memfd_create, {argument("x"), 0}});
  attempts.push_back({"statx /etc/passwd", SYS_statx, {AT_FDCWD, argument("/etc/passwd")}});
  attempts.push_back({"unlinkat", SYS_unlinkat, {AT_FDCWD, argument("/no/such/file")}});
  attempts.push_back({"chroot", SYS_chroot, {argument("/")}});
  attempts.push_back({"mount", SYS_mount, {argument("x"), argument("/no"), argument("tmpfs")}});
  return attempts;
}

std::vector<Attempt> on_sockets() {
  std::vector<Attempt> attempts;
  for (int family = 0; family <= highest_family; ++family) {
    attempts.push_back({"socket of family " + std::to_string(family),
                        SYS_socket,
                        {family, SOCK_DGRAM | SOCK_CLOEXEC}});
  }
  static std::array<int, 2> pair;
  attempts.push_back({"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, argument(&pair)}});
  static const int on = 1;
  attempts.push_back(
      {"SO_MARK", SYS_setsockopt, {0, SOL_SOCKET, SO_MARK, argument(&on), sizeof on}});
  attempts.push_back({"bind", SYS_bind, {0, 0, 0}});
  attempts.push_back({"listen", SYS_listen, {0, 1}});
  return attempts;
}

std::vector<Attempt> on_processes() {
  static std::array<char*, 1> no_words{nullptr};
  static clone_args clone_request{};
  clone_request.exit_signal = SIGCHLD;
  const long parent = getppid();
  std::vector<Attempt> attempts = {
      {"execve", SYS_execve, {argument("/bin/true"), argument(&no_words), argument(&no_words)}},
      {"execveat", SYS_execveat, {AT_FDCWD, argument("/bin/true"), argument(&no_words)}},
      {"clone", SYS_clone, {SIGCHLD}},
      {"clone of a thread", SYS_clone, {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}},
      {"clone3", SYS_clone3, {argument(&clone_request), sizeof clone_request}},
      {"ptrace", SYS_ptrace, {PTRACE_ATTACH, parent}},
      {"kill of the monitor", SYS_kill, {parent, 0}},
      {"kill of itself", SYS_kill, {getpid(), 0}},
      {"tgkill of another process", SYS_tgkill, {no_process, no_process, SIGABRT}},
      {"tgkill of itself by another signal", SYS_tgkill, {getpid(), getpid(), SIGURG}},
      {"tkill", SYS_tkill, {getpid(), 0}},
      {"rt_sigaction", SYS_rt_sigaction, {SIGSYS, 0, 0, 8}},
      {"pidfd_open", SYS_pidfd_open, {parent, 0}},
      {"pidfd_getfd", SYS_pidfd_getfd, {0, 0, 0}},
      {"process_vm_readv", SYS_process_vm_readv, {parent}},
      {"process_vm_writev", SYS_process_vm_writev, {parent}},
  };
#ifdef SYS_fork
  attempts.push_back({"fork", SYS_fork});
  attempts.push_back({"vfork", SYS_vfork});
#endif
  return attempts;
}

std::vector<Attempt> on_privileges() {
  static __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  static std::array<__user_cap_data_struct, 2> none{};
  static int carrier = 1;
  return {
      {"setns", SYS_setns, {0, 0}},
      {"unshare", SYS_unshare, {CLONE_NEWUSER}},
      {"setuid", SYS_setuid, {0}},
      {"setresuid", SYS_setresuid, {0, 0, 0}},
      {"setgid", SYS_setgid, {0}},
      {"setgroups", SYS_setgroups, {0, 0}},
      {"capset", SYS_capset, {argument(&header), argument(&none)}},
      {"prctl PR_SET_DUMPABLE", SYS_prctl, {PR_SET_DUMPABLE, 1}},
      {"prctl PR_SET_PDEATHSIG", SYS_prctl, {PR_SET_PDEATHSIG, 0}},
      {"prlimit64", SYS_prlimit64, {0, 0, 0, 0}},
      {"ioctl TUNSETIFF", SYS_ioctl, {0, TUNSETIFF, 0}},
      {"ioctl TUNSETCARRIER", SYS_ioctl, {0, TUNSETCARRIER, argument(&carrier)}},
      {"ioctl TUNSETPERSIST", SYS_ioctl, {0, TUNSETPERSIST, 1}},
      {"ioctl TUNSETOFFLOAD", SYS_ioctl, {0, TUNSETOFFLOAD, 0}},
      {"ioctl TUNSETOWNER", SYS_ioctl, {0, TUNSETOWNER, 0}},
      {"ioctl TIOCSTI", SYS_ioctl, {0, TIOCSTI, argument("x")}},
      {"seccomp", SYS_seccomp, {0, 0, 0}},
      {"bpf", SYS_bpf, {0, 0, 0}},
      {"io_uring_setup", SYS_io_uring_setup, {1, 0}},
      {"userfaultfd", SYS_userfaultfd, {0}},
      {"perf_event_open", SYS_perf_event_open, {0, 0, -1, -1, 0}},
      {"keyctl", SYS_keyctl, {KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1}},
      {"personality", SYS_personality, {0xffffffff}},
      {"reboot", SYS_reboot, {0}},
  };
}

std::vector<Attempt> on_executable_memory() {
  constexpr long page = 4096;
  constexpr long anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  return {
      {"mmap executable", SYS_mmap, {0, page, PROT_READ | PROT_EXEC, anonymous, -1, 0}},
      {"mmap executable and writable",
       SYS_mmap,
       {0, page, PROT_READ | PROT_WRITE | PROT_EXEC, anonymous, -1, 0}},
      {"mmap of a file", SYS_mmap, {0, page, PROT_READ, MAP_PRIVATE, 0, 0}},
      {"mmap of no file", SYS_mmap, {0, page, PROT_READ, MAP_PRIVATE, -1, 0}},
      {"mmap with a descriptor", SYS_mmap, {0, page, PROT_READ, anonymous, 0, 0}},
      {"mprotect executable", SYS_mprotect, {0, page, PROT_READ | PROT_EXEC}},
      {"pkey_mprotect", SYS_pkey_mprotect, {0, page, PROT_READ | PROT_EXEC, -1}},
      {"shmat", SYS_shmat, {0, 0, SHM_EXEC}},
  };
}

}  // namespace routevpn::test::attempts
