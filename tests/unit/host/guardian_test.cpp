#include "routevpn/host/guardian.hpp"

#include <array>
#include <csignal>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.hpp"
#include "guardian_duties.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;

namespace {

std::string tables(const TestNetns& lab) {
  return lab.run_inside("nft list tables").text;
}

// A process that starts a guardian and then waits until it is killed.
class LinkProcess {
 public:
  LinkProcess(const GuardianDuties& duties, const TestNetns& lab) {
    std::array<int, 2> ready{};
    REQUIRE(pipe(ready.data()) == 0);
    pid_ = fork();
    if (pid_ == 0) run_link(duties, lab, ready[1]);
    ::close(ready[1]);
    char byte = 0;
    const Fd reader(ready[0]);
    REQUIRE(::read(reader.get(), &byte, 1) == 1);
  }
  ~LinkProcess() { kill_it(SIGKILL); }
  LinkProcess(const LinkProcess&) = delete;
  LinkProcess& operator=(const LinkProcess&) = delete;

  void kill_it(int signal) {
    if (pid_ > 0) {
      kill(pid_, signal);
      waitpid(pid_, nullptr, 0);
    }
    pid_ = -1;
  }
  [[nodiscard]] std::string guardian() const {
    return run("ps -o pid= --ppid " + std::to_string(pid_)).text;
  }

 private:
  [[noreturn]] static void run_link(const GuardianDuties& duties, const TestNetns& lab, int ready) {
    for (const int number : {SIGTERM, SIGINT}) signal(number, SIG_DFL);  // Catch2 has handlers
    try {
      const Guardian guardian = start_guardian(duties, lab);
      if (::write(ready, "!", 1) == 1) pause();
    } catch (const std::exception&) {
    }
    _exit(1);
  }
  pid_t pid_ = -1;
};

}  // namespace

TEST_CASE("the guardian masquerades and forwards while it runs") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
  {
    const Guardian guardian = start_guardian(nat_duties, lab);
    const std::string table = lab.run_inside("nft list table inet routevpn-rv0").text;
    CHECK_THAT(table, ContainsSubstring("flags owner"));
    CHECK_THAT(table, ContainsSubstring("iifname \"rv0\" oifname != \"rv0\" masquerade"));
    CHECK(lab.run_inside("nft delete table inet routevpn-rv0").status != 0);
    CHECK(lab.run_inside("nft flush ruleset").status == 0);
    CHECK(tables(lab) == "table inet routevpn-rv0\n");
    CHECK(lab.sysctl("ipv4/ip_forward") == "1\n");
    CHECK(lab.sysctl("ipv6/conf/all/forwarding") == "1\n");
  }
  CHECK(tables(lab).empty());
  CHECK(lab.sysctl("ipv4/ip_forward") == "0\n");
  CHECK(lab.sysctl("ipv6/conf/all/forwarding") == "0\n");
}

TEST_CASE("without IPv6 only IPv4 is masqueraded and forwarded") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("sysctl -qw net.ipv6.conf.all.forwarding=0");
  GuardianDuties duties = nat_duties;
  duties.ipv6 = false;
  const Guardian guardian = start_guardian(duties, lab);
  CHECK_THAT(lab.run_inside("nft list table inet routevpn-rv0").text,
             ContainsSubstring("meta nfproto ipv4 iifname \"rv0\""));
  CHECK(lab.sysctl("ipv6/conf/all/forwarding") == "0\n");
}

TEST_CASE("forwarding that was on stays on") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=0");
  { const Guardian guardian = start_guardian(nat_duties, lab); }
  CHECK(lab.sysctl("ipv4/ip_forward") == "1\n");
  CHECK(lab.sysctl("ipv6/conf/all/forwarding") == "0\n");
}

TEST_CASE("the last guardian switches forwarding off, not the first") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
  GuardianDuties other = nat_duties;
  other.ipv6 = false;
  std::optional<Guardian> first = start_guardian(nat_duties, lab);
  std::optional<Guardian> second = start_guardian(other, lab, "rv1");
  first.reset();
  CHECK(lab.sysctl("ipv4/ip_forward") == "1\n");
  CHECK(lab.sysctl("ipv6/conf/all/forwarding") == "0\n");
  second.reset();
  CHECK(lab.sysctl("ipv4/ip_forward") == "0\n");
}

TEST_CASE("the guardian undoes everything when the monitor is killed") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0");
  GuardianDuties duties = rule_duties;
  duties.nat = true;
  duties.routed_sources = true;
  LinkProcess link(duties, lab);
  const std::string guardian = link.guardian();
  CHECK_THAT(run("ps -o comm= -p " + guardian).text, ContainsSubstring("routevpn-guard"));
  CHECK(tables(lab) == "table inet routevpn-rv0\n");

  SECTION("with its signals") {
    // Signals that a terminal or a service manager sends to all processes.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
      REQUIRE(kill(std::stoi(guardian), signal) == 0);
    }
    CHECK(tables(lab) == "table inet routevpn-rv0\n");
    link.kill_it(SIGTERM);
  }
  SECTION("with kill -9") {
    link.kill_it(SIGKILL);
  }

  CHECK(soon([&] { return tables(lab).empty(); }));
  CHECK(soon([&] { return lab.sysctl("ipv4/ip_forward") == "0\n"; }));
  CHECK(soon([&] { return lab.sysctl("ipv6/conf/all/forwarding") == "0\n"; }));
  CHECK(soon([&] { return lab.ip("rule") == plain_rules_v4; }));
  CHECK(soon([&] { return lab.ip("-6 rule") == plain_rules_v6; }));
  CHECK(soon([&] { return run("ip netns pids " + lab.name()).text.empty(); }));
}

TEST_CASE("what a killed guardian has left is undone") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=1");
  GuardianDuties duties = rule_duties;
  duties.nat = true;
  duties.routes = {*IpPrefix::parse("203.0.113.0/24")};
  Guardian guardian = start_guardian(duties, lab);
  CHECK(lab.sysctl("ipv4/ip_forward") == "1\n");
  CHECK_THAT(lab.ip("route show table 51"), ContainsSubstring("unreachable 203.0.113.0/24"));
  pollfd ended{guardian.ended_fd(), POLLIN, 0};
  REQUIRE(poll(&ended, 1, 0) == 0);

  SECTION("by the monitor after kill -9") {
    REQUIRE(kill(guardian.pid(), SIGKILL) == 0);
    REQUIRE(poll(&ended, 1, 5000) == 1);
    CHECK(lab.sysctl("ipv4/ip_forward") == "1\n");
    guardian.undo(lab.open());
  }
  SECTION("by the guardian after the end of nft") {
    const std::string nft = run("ps -o pid= --ppid " + std::to_string(guardian.pid())).text;
    REQUIRE(kill(std::stoi(nft), SIGKILL) == 0);
    REQUIRE(poll(&ended, 1, 5000) == 1);
    lab.must("ip rule add not fwmark 7754 table 51");  // of another program by now
    guardian.undo(lab.open());
    lab.must("ip rule delete not fwmark 7754 table 51");
  }

  CHECK(lab.sysctl("ipv4/ip_forward") == "0\n");
  CHECK(lab.sysctl("ipv6/conf/all/forwarding") == "1\n");
  CHECK(lab.ip("rule") == plain_rules_v4);
  CHECK(lab.ip("-6 rule") == plain_rules_v6);
  CHECK(lab.ip("route show table 51").empty());
  CHECK(soon([&] { return tables(lab).empty(); }));
}

TEST_CASE("a restart right after a kill succeeds") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  lab.must("sysctl -qw net.ipv4.ip_forward=0");
  GuardianDuties duties = rule_duties;
  duties.nat = true;
  for (int i = 0; i < 3; ++i) {
    LinkProcess link(duties, lab);
    link.kill_it(SIGKILL);
  }
  { const Guardian guardian = start_guardian(duties, lab); }
  CHECK(lab.sysctl("ipv4/ip_forward") == "0\n");
  CHECK(lab.ip("rule") == plain_rules_v4);
}

TEST_CASE("a guardian keeps no descriptor of the monitor open") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  std::array<int, 2> other{};
  REQUIRE(pipe(other.data()) == 0);
  const Fd read_end(other[0]);
  Fd write_end(other[1]);
  Fd far_away(fcntl(other[1], F_DUPFD, 500));  // above the guardian's own
  REQUIRE(far_away);
  const Guardian guardian = start_guardian(nat_duties, lab);
  write_end.reset();
  far_away.reset();
  pollfd hang_up{read_end.get(), 0, 0};
  CHECK(poll(&hang_up, 1, 5000) == 1);  // no other write end is open
}
