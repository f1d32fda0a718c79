// What a resolver process has and may do.
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "routevpn/cage/system_calls.hpp"

#include "catch.hpp"
#include "namespace_lab.hpp"
#include "resolver_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;

namespace {

// A name server that does not answer.
Fd silent_server() {
  Fd server(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(53);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(server.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  return server;
}

}  // namespace

TEST_CASE("the child has three descriptors, tight limits and almost no environment") {
  const Fd other(dup(STDIN_FILENO));  // would be inherited
  setenv("ROUTEVPN_TEST_SECRET", "secret", 1);
  CHECK(report_of("arguments") == "routevpn-resolver arguments ");
  unsetenv("ROUTEVPN_TEST_SECRET");
  setenv("RES_OPTIONS", "attempts:1", 1);
  CHECK(report_of("arguments") == "routevpn-resolver arguments RES_OPTIONS=attempts:1");
  unsetenv("RES_OPTIONS");
  CHECK(report_of("descriptors") == "0 1 2 ");
  CHECK(report_of("limits") == "0/0 0/0 0/0 SIGALRM");
  CHECK(report_of("SigBlk") == "SigBlk: 0000000000000000");
}

TEST_CASE("the child has another user, no group, no capability and no new privileges") {
  CHECK(report_of("NoNewPrivs") == "NoNewPrivs: 1");
  for (const std::string set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
    CHECK(report_of(set) == set + ": 0000000000000000");
  }
  if (geteuid() != 0) return;
  CHECK(report_of("CapBnd") == "CapBnd: 0000000000000000");
  CHECK(report_of("Uid") == "Uid: 65534 65534 65534 65534");
  CHECK(report_of("Gid") == "Gid: 65534 65534 65534 65534");
  const gid_t group = 4242;
  REQUIRE(setgroups(1, &group) == 0);
  CHECK(report_of("Groups").find_first_of("0123456789") == std::string::npos);
  REQUIRE(setgroups(0, nullptr) == 0);
  CHECK(report_of("processes") == "no process");
}

TEST_CASE("a child that stays user 0 has no capability either") {
  if (geteuid() != 0) return;
  for (const std::string set : {"CapPrm", "CapEff", "CapBnd"}) {
    const auto answer =
        answer_of(ResolverProcess::start(open_program(SCRIPTED_RESOLVER), set, 0, 0));
    CHECK(answer.error == set + ": 0000000000000000");
  }
}

// In a process of its own, because it enters a user namespace that maps root alone.
TEST_CASE("a resolver in a user namespace without the account keeps its user") {
  enum End : int { kept = 0, changed, not_possible };
  const pid_t process = fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    const std::string user = "0 " + std::to_string(getuid()) + " 1";
    const std::string group = "0 " + std::to_string(getgid()) + " 1";
    const auto put = [](const std::string& file, const std::string& text) {
      return static_cast<bool>(std::ofstream("/proc/self/" + file) << text << std::flush);
    };
    if (unshare(CLONE_NEWUSER) != 0 || !put("setgroups", "deny") || !put("uid_map", user) ||
        !put("gid_map", group)) {
      _exit(not_possible);
    }
    const bool same =
        report_of("Uid") == "Uid: 0 0 0 0" && report_of("CapEff") == "CapEff: 0000000000000000";
    _exit(same ? kept : changed);
  }
  int status = 0;
  REQUIRE(waitpid(process, &status, 0) == process);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == not_possible) WARN("skipped: no user namespace can be made here");
  CHECK(WEXITSTATUS(status) != changed);
}

TEST_CASE("a resolver that waits for a name server has a user of its own and a time limit") {
  if (!can_make_namespaces()) return;
  with_names([] {
    const Fd server = silent_server();
    ResolverProcess process = start_resolver("silent.example");
    pollfd query{server.get(), POLLIN, 0};
    REQUIRE(poll(&query, 1, 10'000) == 1);
    CHECK_FALSE(process.take());
    const std::string status = run("cat /proc/" + std::to_string(process.pid()) + "/status").text;
    CHECK_THAT(status, ContainsSubstring("Name:\troutevpn-resolv\n"));
    CHECK_THAT(status, ContainsSubstring("Uid:\t65534\t65534\t65534\t65534\n"));
    CHECK_THAT(status, ContainsSubstring("CapEff:\t0000000000000000\n"));
    CHECK_THAT(status, ContainsSubstring("NoNewPrivs:\t1\n"));
    if (cage::can_restrict_system_calls()) {
      CHECK_THAT(status, ContainsSubstring("Seccomp:\t2\n"));
    }
    REQUIRE(kill(process.pid(), SIGALRM) == 0);
    CHECK(answer_of(std::move(process)).error == "no answer within 30 seconds");
  });
}

TEST_CASE("a resolver dies with the process that started it") {
  const pid_t link = fork();
  if (link == 0) {
    ResolverProcess process = start_scripted("silent");
    std::ofstream("/proc/self/comm") << "p" << process.pid();
    pause();
  }
  std::string resolver;
  const bool started = soon([&] {
    std::getline(std::ifstream("/proc/" + std::to_string(link) + "/comm"), resolver);
    return resolver.starts_with("p") && std::isdigit(static_cast<unsigned char>(resolver[1]));
  });
  CHECK(started);
  REQUIRE(kill(link, SIGKILL) == 0);
  REQUIRE(waitpid(link, nullptr, 0) == link);
  const std::string process = "/proc/" + resolver.substr(1);
  CHECK(soon([&] {
    const auto status = run("cat " + process + "/status").text;
    return status.find("State:") == std::string::npos ||
           status.find("State:\tZ") != std::string::npos;
  }));
}
