// What a resolver may and may not do.
#include "routevpn/cage/deny.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/base/owned.hpp"

#include "catch.hpp"
#include "confined_child.hpp"

using namespace routevpn;
using namespace routevpn::test;

namespace {

Ended run_denied(const std::function<void(const Report&)>& body) {
  return run_in_child([&](const Report& report) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    cage::deny_harm();
    body(report);
  });
}

}  // namespace

TEST_CASE("a resolver reads files and sends datagrams") {
  const auto ended = run_denied([](const Report& report) {
    const Fd file(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
    char byte = 0;
    report.check(read(file.get(), &byte, 1) == 1, "it cannot read a file");
    const Fd directory(open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    report.check(static_cast<bool>(directory), "it cannot read a directory");
    const Fd udp(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in name{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
    report.check(bind(udp.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0,
                 "it cannot use UDP");
  });
  CHECK(ended.report == "");
}

TEST_CASE("a resolver harms no other process, executes nothing and stays where it is") {
  if (!can_restrict_or_warn()) return;
  const auto ended = run_denied([](const Report& report) {
    const auto denied = [&report](long result, const char* attempt) {
      report.check(result < 0 && errno == EPERM, attempt);
    };
    char program[] = "/bin/true";
    char* arguments[] = {program, nullptr};
    cpu_set_t processors{};
    denied(kill(getppid(), 0), "kill");
    denied(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr), "ptrace");
    denied(syscall(SYS_pidfd_open, getppid(), 0), "pidfd_open");
    denied(sched_setaffinity(0, sizeof processors, &processors), "sched_setaffinity");
    denied(execv(program, arguments), "execve");
    denied(unshare(CLONE_NEWUSER), "unshare");
    denied(setns(-1, 0), "setns");
    denied(mount("none", "/mnt", "tmpfs", 0, nullptr), "mount");
    denied(syscall(SYS_io_uring_setup, 1, nullptr), "io_uring_setup");
    denied(syscall(SYS_bpf, 0, nullptr, 0), "bpf");
    denied(syscall(SYS_keyctl, 0, 0, 0, 0, 0), "keyctl");
  });
  CHECK(ended.report == "");
}

TEST_CASE("Landlock keeps a resolver from changes of files") {
  if (syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
    WARN("skipped: this kernel has no Landlock");
    return;
  }
  const std::string path =
      std::filesystem::temp_directory_path() / ("routevpn-deny-" + std::to_string(getpid()));
  const Fd present(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  REQUIRE(present);
  const auto ended = run_denied([&path](const Report& report) {
    const auto denied = [&report](bool done, const char* attempt) {
      report.check(!done && errno == EACCES, attempt);
    };
    denied(static_cast<bool>(Fd(open(path.c_str(), O_WRONLY | O_CLOEXEC))), "writing");
    denied(static_cast<bool>(Fd(open((path + "-new").c_str(), O_CREAT | O_WRONLY, 0600))),
           "creating");
    denied(unlink(path.c_str()) == 0, "removing");
    denied(mkdir((path + "-dir").c_str(), 0700) == 0, "making a directory");
  });
  CHECK(ended.report == "");
  CHECK(unlink(path.c_str()) == 0);
}
