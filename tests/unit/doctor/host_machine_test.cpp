#include "routevpn/doctor/host_machine.hpp"

#include <unistd.h>

#include "catch.hpp"
#include "test_pki.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("the machine reads files, sysctls and the start of processes") {
  const doctor::HostMachine machine;
  const TempDir dir;
  const auto path = dir.write("file", "text\n");
  CHECK(machine.read(path) == "text\n");
  CHECK_FALSE(machine.read(dir.path() + "/none"));
  CHECK(machine.has(path));
  const auto value = machine.sysctl("", "ipv4/conf/all/rp_filter");
  REQUIRE(value);
  CHECK(value->size() == 1);
  CHECK_FALSE(machine.sysctl("", "ipv4/none"));
  CHECK_FALSE(machine.sysctl("no-such-namespace", "ipv4/ip_forward"));
  CHECK(machine.has_netns(""));
  CHECK(machine.has_netns("/proc/self/ns/net"));
  CHECK_FALSE(machine.has_netns("no-such-namespace"));
  CHECK_FALSE(machine.kernel_release().empty());
  const auto before = pki::now();
  const auto changed = machine.changed(dir.write("later", ""));
  REQUIRE(changed);
  CHECK(*changed + 2s >= before);  // the kernel's clock of files is coarser
  CHECK(*changed <= pki::now());
  CHECK_FALSE(machine.changed(dir.path() + "/none"));
}

TEST_CASE("a program's output and status are returned, and a missing program is none") {
  const doctor::HostMachine machine;
  const auto result = machine.run("", {"sh", "-c", "echo one; echo two >&2; exit 3"});
  REQUIRE(result);
  CHECK(result->status == 3);
  CHECK(result->output == "one\n");
  CHECK_FALSE(machine.run("", {"no-such-program"}));
  CHECK_FALSE(machine.run("no-such-namespace", {"true"}));
}
