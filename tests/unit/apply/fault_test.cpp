// A fault half-way: what ran goes on running, and the next run continues.
#include <csignal>

#include <sys/resource.h>

#include "catch.hpp"
#include "gateway.hpp"

using namespace routevpn;
using namespace routevpn::apply;

namespace {

// Both links are up, and both have to be restarted.
void two_changed_links(Gateway& gateway) {
  REQUIRE(apply_to(gateway).status == 0);
  gateway.machine.up = {"rv2-1", "rv3-1"};
  gateway.machine.established = {"IBGP_rv2-1", "IBGP_rv3-1"};
  for (const auto* link : {"rv2-1", "rv3-1"}) gateway.add_to_link(link, "lanes = 2\n");
  (void)gateway.machine.take_commands();
}

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("each step that fails ends the run, and the next run does the rest") {
  const std::string failing =
      GENERATE("start routevpn-netns@private.service", "start routevpn-bird@private.service",
               "start routevpn@rv2-1.service", "start routevpn@rv3-1.service");
  Gateway gateway;
  gateway.machine.failing = failing;
  const auto first = apply_to(gateway);
  CHECK(first.status == 1);
  CHECK(first.stopped == failing + ": Job for it failed; See the journal");
  CHECK(gateway.machine.take_commands().back() == failing);
  gateway.machine.failing.clear();
  const auto second = apply_to(gateway);
  CHECK(second.status == 0);
  REQUIRE_FALSE(second.done.empty());
  CHECK(second.done.front() == failing);
  CHECK(second.done.back() == "start routevpn@rv3-1.service");
  CHECK(apply_to(gateway).done.empty());
}

TEST_CASE("a restart, reload or configure that failed is done by the next run") {
  Gateway gateway;
  two_changed_links(gateway);
  gateway.machine.failing = "restart routevpn@rv3-1.service";
  CHECK(apply_to(gateway).stopped.starts_with("restart routevpn@rv3-1.service: "));
  gateway.machine.failing.clear();
  CHECK(apply_to(gateway).done == Lines{"restart routevpn@rv3-1.service"});

  gateway.issue();
  gateway.machine.failing = "reload link rv2-1";
  CHECK(apply_to(gateway).stopped == "reload routevpn@rv2-1.service: the key is wrong");
  gateway.machine.failing.clear();
  CHECK(apply_to(gateway).done ==
        Lines{"reload routevpn@rv2-1.service", "reload routevpn@rv3-1.service"});

  gateway.write_plan("bird/private.conf", "router id 0.0.1.2;\n");
  gateway.machine.failing = "birdc private.ctl configure";
  CHECK(apply_to(gateway).stopped ==
        "configure routevpn-bird@private.service: birdc configure: private.conf:3:1 syntax error");
  gateway.machine.failing.clear();
  CHECK(apply_to(gateway).done == Lines{"configure routevpn-bird@private.service"});
}

TEST_CASE("a plan that changes again after a fault is not taken for a foreign file") {
  Gateway gateway;
  two_changed_links(gateway);
  gateway.machine.failing = "restart routevpn@rv2-1.service";
  CHECK(apply_to(gateway).status == 1);
  gateway.machine.failing.clear();
  gateway.add_to_link("rv3-1", "dscp = 3\n");
  const auto next = apply_to(gateway);
  CHECK(next.faults.empty());
  CHECK(next.status == 0);
}

TEST_CASE("a restarted link that does not come up ends the run after --timeout") {
  Gateway gateway;
  two_changed_links(gateway);
  const bool without_bgp = GENERATE(false, true);
  bool restarted = false;
  gateway.machine.on_pause = [&] {
    restarted = true;
    if (!without_bgp) gateway.machine.up.erase("rv2-1");
    gateway.machine.established.erase("IBGP_rv2-1");
  };
  gateway.machine.established = {"IBGP_rv3-1"};
  const auto begin = gateway.machine.now();
  const auto applied = apply_to(gateway);
  CHECK(restarted);
  CHECK(applied.stopped ==
        "restart routevpn@rv2-1.service: rv2-1 was restarted, and was not up with its BGP session "
        "IBGP_rv2-1 established again within 60 s");
  CHECK(gateway.machine.take_commands() == Lines{"restart routevpn@rv2-1.service"});
  CHECK(gateway.machine.now() - begin < std::chrono::seconds{62});
  // rv2-1 has its new file. rv3-1 is the only link with traffic now.
  const auto next = apply_to(gateway);
  CHECK(next.done.empty());
  CHECK(next.stopped.starts_with(
      "restart routevpn@rv3-1.service: rv3-1 is the only link with traffic, and is not restarted"));
  CHECK(gateway.machine.take_commands().empty());
}

TEST_CASE("the next link waits for the BGP session over the restarted one") {
  Gateway gateway;
  two_changed_links(gateway);
  gateway.machine.established = {"IBGP_rv3-1"};
  gateway.machine.on_pause = [&] {
    CHECK(gateway.machine.take_commands() == Lines{"restart routevpn@rv2-1.service"});
    gateway.machine.established.insert("IBGP_rv2-1");
    gateway.machine.on_pause = nullptr;
  };
  CHECK(apply_to(gateway).status == 0);
  CHECK_FALSE(gateway.machine.on_pause);
  CHECK(gateway.machine.take_commands() == Lines{"restart routevpn@rv3-1.service"});
}

TEST_CASE("a signal ends the run between two steps, and the next run does the rest") {
  const auto [last, next] = GENERATE(table<std::string, std::string>({
      {"start routevpn-netns@private.service", "start routevpn-bird@private.service"},
      {"start routevpn@rv2-1.service", "start routevpn@rv3-1.service"},
  }));
  Gateway gateway;
  gateway.machine.signal_after = last;
  const auto first = apply_to(gateway);
  CHECK(first.stopped == next + ": SIGTERM came before this step");
  CHECK(first.done.back() == last);
  gateway.machine.signal_after.clear();
  CHECK(apply_to(gateway).done.front() == next);
}

TEST_CASE("a signal ends the wait for a restarted link") {
  Gateway gateway;
  two_changed_links(gateway);
  gateway.machine.established = {"IBGP_rv3-1"};
  gateway.machine.signal_after = "restart routevpn@rv2-1.service";
  CHECK(apply_to(gateway).stopped ==
        "restart routevpn@rv2-1.service: rv2-1 was restarted, and was not up with its BGP session "
        "IBGP_rv2-1 established again before SIGTERM");
  CHECK(gateway.machine.take_commands() == Lines{"restart routevpn@rv2-1.service"});
}

TEST_CASE("there is no wait for a link that was down, for a single link's others, and with 0 s") {
  Gateway gateway;
  two_changed_links(gateway);
  gateway.machine.on_pause = [] { FAIL("a wait"); };
  SECTION("down") {
    gateway.machine.up.clear();
  }
  SECTION("--timeout 0") {
    gateway.machine.established.clear();
  }
  auto request = gateway.request();
  if (gateway.machine.established.empty()) request.timeout = {};
  CHECK(apply_to(gateway, request).status == 0);
}

TEST_CASE("a gateway with one link restarts it without another") {
  Gateway gateway({"rv2-1"});
  REQUIRE(apply_to(gateway).status == 0);
  gateway.machine.up = {"rv2-1"};
  gateway.machine.established = {"IBGP_rv2-1"};
  gateway.add_to_link("rv2-1", "lanes = 2\n");
  gateway.machine.on_pause = [] { FAIL("a wait"); };
  CHECK(apply_to(gateway).done.back() == "restart routevpn@rv2-1.service");
}

TEST_CASE("a directory in place of a file is refused before anything changes") {
  Gateway gateway;
  REQUIRE(apply_to(gateway).status == 0);
  gateway.set_links({"rv2-1", "rv3-1", "rv4-1"});
  std::filesystem::create_directories(gateway.on_machine("/etc/routevpn/psk/rv4-1.psk"));
  const auto applied = apply_to(gateway);
  REQUIRE(applied.faults.size() == 1);
  CHECK_THAT(applied.faults[0],
             ContainsSubstring("/etc/routevpn/psk/rv4-1.psk: not a regular file"));
  CHECK_FALSE(std::filesystem::exists(gateway.on_machine("/etc/routevpn/rv4-1.conf")));
}

// A limit on the size of files stands for a full disk: the kernel refuses the write of the large
// file.
TEST_CASE("a file that cannot be written leaves all files as they were") {
  Gateway gateway;
  REQUIRE(apply_to(gateway).status == 0);
  (void)gateway.machine.take_commands();
  const auto before = gateway.text_on_machine("/etc/routevpn/bird/private.conf");
  const auto manifest = gateway.text_on_machine("/var/lib/routevpn/applied");
  gateway.write_plan("bird/private.conf", "# first\n");
  gateway.add_to_link("rv2-1", "lanes = 2\n#" + std::string(100000, 'x') + "\n");
  const FileSizeLimit limit(50000);
  const auto full = apply_to(gateway);
  CHECK(full.status == 1);
  CHECK(full.done.empty());
  CHECK_THAT(full.stopped, ContainsSubstring("File too large"));
  CHECK(gateway.machine.take_commands().empty());
  CHECK(gateway.text_on_machine("/etc/routevpn/bird/private.conf") == before);
  CHECK(gateway.text_on_machine("/var/lib/routevpn/applied") == manifest);
  using Directory = std::filesystem::recursive_directory_iterator;
  for (const auto& entry : Directory(gateway.on_machine("/etc"))) {
    CAPTURE(entry.path());
    const auto extension = entry.path().extension();
    CHECK((entry.is_directory() || extension == ".conf" || extension == ".psk" ||
           extension == ".cert" || extension == ".key"));
  }
}

TEST_CASE("a second apply at the same time is refused") {
  Gateway gateway;
  const Run first(gateway.request(), gateway.machine);
  CHECK(first.faults().empty());
  CHECK_THROWS_WITH(apply_to(gateway), "another routevpn apply runs on this machine");
  CHECK(gateway.machine.take_commands().empty());
}
