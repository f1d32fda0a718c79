// A guardian between its fork and its work.
#include <csignal>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <poll.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/host/guardian.hpp"

#include "catch.hpp"
#include "guardian_duties.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;

namespace {

// Whether a process's writable memory has this text. The text of the own process is found at least
// in the argument.
bool memory_holds(pid_t pid, const std::string& text) {
  const std::string directory = "/proc/" + std::to_string(pid);
  std::ifstream maps(directory + "/maps");
  std::ifstream memory(directory + "/mem", std::ios::binary);
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uintptr_t from = 0;
    std::uintptr_t to = 0;
    char dash = 0;
    std::string rights;
    fields >> std::hex >> from >> dash >> to >> rights;
    constexpr std::uintptr_t largest = std::uintptr_t{1} << 28;  // more: shadow of a sanitizer
    if (!rights.starts_with("rw") || to - from > largest) continue;
    std::string content(to - from, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(from));
    memory.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(memory.gcount()));
    if (content.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a guardian that has not begun changes nothing and exits with the monitor") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("sysctl -qw net.ipv4.ip_forward=0");
  GuardianDuties duties = rule_duties;
  duties.nat = true;
  std::optional<Guardian> guardian = Guardian::fork_early(duties, lab.open());
  const std::string pid = std::to_string(guardian->pid());
  REQUIRE(soon([&] { return run("ip netns pids " + lab.name()).text == pid + "\n"; }));
  // Only standard input, output and error are open while it waits.
  CHECK(soon([&] { return run("ls /proc/" + pid + "/fd").text == "0\n1\n2\n"; }));
  CHECK(lab.run_inside("nft list tables").text.empty());
  CHECK(lab.ip("rule") == plain_rules_v4);
  CHECK(lab.sysctl("ipv4/ip_forward") == "0\n");
  guardian.reset();  // waits for the process
  CHECK(run("ip netns pids " + lab.name()).text.empty());
}

TEST_CASE("a guardian that was forked early has no copy of what comes into memory later") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  Guardian guardian = Guardian::fork_early(rule_duties, lab.open());
  std::string secret = "routevpn-secret-";
  for (int i = 0; i < 8; ++i) secret += std::to_string(getpid() + i);
  guardian.begin("rv0");
  CHECK(memory_holds(getpid(), secret));
  CHECK_FALSE(memory_holds(guardian.pid(), secret));
}

TEST_CASE("a guardian killed before it begins is an error, and nothing remains") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  Guardian guardian = Guardian::fork_early(rule_duties, lab.open());
  REQUIRE(kill(guardian.pid(), SIGKILL) == 0);
  pollfd ended{guardian.ended_fd(), POLLIN, 0};
  REQUIRE(poll(&ended, 1, 5000) == 1);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  CHECK_THROWS_AS(guardian.begin("rv0"), SystemError);
  std::signal(SIGPIPE, before);
  CHECK(lab.ip("rule") == plain_rules_v4);
}
