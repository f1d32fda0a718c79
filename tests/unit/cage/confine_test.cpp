#include "routevpn/cage/confine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/cage/system_calls.hpp"

#include "catch.hpp"
#include "confined_child.hpp"

using namespace routevpn;
using namespace routevpn::cage;
using namespace routevpn::test;

namespace {

const std::string temporary = std::filesystem::temp_directory_path();
constexpr unsigned grandchild_s = 10;

// The fields of /proc/PID/task/TID/status.
std::map<std::string, std::string> status_of(const std::filesystem::path& task) {
  std::ifstream file(task / "status");
  std::map<std::string, std::string> fields;
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    const auto value = line.find_first_not_of(" \t", colon + 1);
    fields[line.substr(0, colon)] = value == std::string::npos ? "" : line.substr(value);
  }
  return fields;
}

void check_limits(const Report& report) {
  rlimit now{1, 1};
  report.check(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_max == 0, "RLIMIT_CORE");
  report.check(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "dumpable");
  int death_signal = 0;
  report.check(prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0) == 0 && death_signal == SIGKILL,
               "PR_GET_PDEATHSIG");
}

// A hard limit of 0 where `limited`, for a standard error that is this descriptor.
void check_file_limit(const Report& report, int standard_error, bool limited) {
  dup2(standard_error, STDERR_FILENO);
  confine_as_nobody();
  rlimit now{};
  getrlimit(RLIMIT_FSIZE, &now);
  report.check((now.rlim_max == 0) == limited, "RLIMIT_FSIZE");
}

bool write_to(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

}  // namespace

TEST_CASE("an empty root is removed already, and nothing can be made in it") {
  const auto is_root = [](const auto& entry) {
    return entry.path().filename().string().starts_with("routevpn-root-");
  };
  const auto count = [&] {
    const std::filesystem::directory_iterator entries(temporary);
    return std::count_if(begin(entries), end(entries), is_root);
  };
  const auto before = count();
  const Fd root = make_empty_root(temporary);
  CHECK(count() == before);
  struct stat status {};
  REQUIRE(fstat(root.get(), &status) == 0);
  CHECK(S_ISDIR(status.st_mode));
  CHECK(status.st_nlink == 0);
  const Fd file(openat(root.get(), "x", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  CHECK_FALSE(file);
  CHECK_THROWS_AS(make_empty_root("/no/such/directory"), SystemError);
}

TEST_CASE("every thread of a confined worker has no capability, no root and a filter") {
  if (!is_root_or_warn() || !can_restrict_or_warn()) return;
  const Account nobody = find_account("nobody");
  const std::string four_uids = std::to_string(nobody.uid) + "\t" + std::to_string(nobody.uid) +
                                "\t" + std::to_string(nobody.uid) + "\t" +
                                std::to_string(nobody.uid);
  int threads = 0;
  const auto ended = run_in_child(
      [](const Report& report) {
        constexpr gid_t further_group = 4242;
        report.check(setgroups(1, &further_group) == 0, "setgroups");
        confine_as_nobody();
        install_refusal_handler();
        std::thread lane([&] {
          restrict_system_calls(ThreadRole::lane);
          report.be_observed();
        });
        restrict_system_calls(ThreadRole::control);
        lane.join();
        report.be_observed();
        report.check(refused_system_calls().count == 0, "a refused system call");
      },
      [&](pid_t child) {
        for (const auto& task :
             std::filesystem::directory_iterator("/proc/" + std::to_string(child) + "/task")) {
          auto status = status_of(task.path());
          ++threads;
          CHECK(status["Uid"] == four_uids);
          CHECK(status["Groups"] == "");
          for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
            CAPTURE(set);
            CHECK(status[set] == "0000000000000000");
          }
          CHECK(status["NoNewPrivs"] == "1");
          CHECK((status["Seccomp"] == "2" || threads == 1));
        }
      });
  CHECK(ended.report == "");
  CHECK(ended.exit_status == 0);
  CHECK(threads >= 2);
}

TEST_CASE("a confined worker cannot undo its confinement") {
  if (!is_root_or_warn()) return;
  const auto ended = run_in_child([](const Report& report) {
    confine_as_nobody();
    report.check(setuid(0) != 0 && setgid(0) != 0, "it can become root");
    report.check(setresuid(0, 0, 0) != 0 && setresgid(0, 0, 0) != 0, "it can become root");
    report.check(setgroups(0, nullptr) != 0, "it can change its groups");
    report.check(chroot("/") != 0, "it can change its root directory");
    constexpr unsigned long locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED;
    const int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    report.check((static_cast<unsigned long>(bits) & locked) == locked, "SECBIT_NOROOT");
    report.check(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0, "it can clear no_new_privs");
    check_limits(report);
    rlimit more{1, 1};
    report.check(setrlimit(RLIMIT_CORE, &more) != 0, "it can raise a limit");
  });
  CHECK(ended.report == "");
  CHECK(ended.exit_status == 0);
}

TEST_CASE("the root directory of a confined worker is empty") {
  if (!is_root_or_warn()) return;
  const auto ended = run_in_child([](const Report& report) {
    confine_as_nobody();
    for (const auto* path : {"/etc/passwd", "/proc/self/mem", "/dev/net/tun", "etc", "../etc"}) {
      const Fd file(open(path, O_RDONLY | O_CLOEXEC));
      report.check(!file, std::string("it can open ") + path);
      // Landlock does not restrict stat(), so it shows the root directory alone.
      struct stat status {};
      report.check(stat(path, &status) != 0, std::string("it can see ") + path);
    }
    report.check(mkdir("/x", 0700) != 0, "it can make a directory");
  });
  CHECK(ended.report == "");
}

TEST_CASE("a worker writes no file, except for a log that is redirected to a file") {
  if (!is_root_or_warn()) return;
  const auto to_null = run_in_child([](const Report& report) {
    const Fd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
    check_file_limit(report, null.get(), true);
  });
  CHECK(to_null.report == "");
  const auto to_file = run_in_child([](const Report& report) {
    const Fd log(open(temporary.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
    report.check(static_cast<bool>(log), "no temporary file");
    check_file_limit(report, log.get(), false);
  });
  CHECK(to_file.report == "");
}

TEST_CASE("a worker ends with its monitor") {
  if (!is_root_or_warn()) return;
  const auto ended = run_in_child([](const Report& report) {
    std::array<int, 2> confined{};
    if (pipe(confined.data()) != 0) report.fault("pipe");
    if (fork() == 0) {
      confine_as_nobody();
      if (write(confined[1], "", 1) != 1) report.fault("write");
      sleep(grandchild_s);
      report.fault("the worker is alive after the end of its monitor");
      _exit(0);
    }
    char ready = 0;
    if (read(confined[0], &ready, 1) != 1) report.fault("read");
  });
  CHECK(ended.report == "");  // read to its end, which comes when the last holder of the pipe ends
  CHECK(ended.exit_status == 0);
}

TEST_CASE("a worker whose monitor has ended already is not confined") {
  const auto ended = run_in_child([](const Report& report) {
    const Fd root = make_empty_root(temporary);
    try {
      confine(find_account("nobody"), root.get(), getpid());
      report.fault("no exception");
    } catch (const SystemError& error) {
      report.check(error.what() == std::string("the monitor has ended"), error.what());
    }
  });
  CHECK(ended.report == "");
}

TEST_CASE("without root a worker keeps its user and has no capability") {
  const auto ended = run_in_child([](const Report& report) {
    const Account nobody = find_account("nobody");
    if (geteuid() == 0) {
      report.check(setresuid(nobody.uid, nobody.uid, nobody.uid) == 0, "setresuid");
    }
    const uid_t user = getuid();
    confine(nobody, -1, getppid());
    report.check(getuid() == user, "the user has changed");
    check_limits(report);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    report.check(syscall(SYS_capget, &header, sets.data()) == 0 && sets[0].permitted == 0 &&
                     sets[1].permitted == 0,
                 "capabilities");
  });
  CHECK(ended.report == "");
}

TEST_CASE("a worker in a user namespace without the account keeps its user") {
  bool possible = true;
  const auto ended = run_in_child(
      [](const Report& report) {
        const std::string inside_root = "0 " + std::to_string(getuid()) + " 1",
                          group = "0 " + std::to_string(getgid()) + " 1";
        if (unshare(CLONE_NEWUSER) != 0 || !write_to("/proc/self/setgroups", "deny") ||
            !write_to("/proc/self/uid_map", inside_root) ||
            !write_to("/proc/self/gid_map", group)) {
          report.be_observed();
          return;
        }
        confine_as_nobody();
        report.check(getuid() == 0 && setresuid(1, 1, 1) != 0, "the user");
        report.check(chroot("/") != 0, "it can change its root directory");
        check_limits(report);
      },
      [&](pid_t) { possible = false; });
  if (!possible) WARN("skipped: no user namespace can be made here");
  CHECK(ended.report == "");
}
