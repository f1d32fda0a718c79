// The file of a namespace, and what stands in its way on the machine.
#include "catch.hpp"
#include "gateway.hpp"

using namespace routevpn;
using namespace routevpn::apply;

// What src/systemd/netns refuses, see tests/netns/apply.sh.
TEST_CASE("a line that the unit of the namespace would refuse is refused") {
  const auto [line, rule] = GENERATE(table<std::string, std::string>({
      {"adress = 10.0.1.11/24", "adress: unknown; allowed are interface and address"},
      {"eth2", "must be 'interface = NAME' or 'address = PREFIX'"},
      {"interface = \"eth1\"", "interface = \"eth1\": must be 1 to 15 letters, "},
      {"interface = et\rh1", "must be 1 to 15 letters, "},
      {"interface = lo", "interface = lo: cannot be moved; each namespace has its own"},
      {"address = 10.0.1.11/33", "address = 10.0.1.11/33: must be ADDRESS/LENGTH"},
      {"address = 10.0.1.11", "address = 10.0.1.11: must be ADDRESS/LENGTH"},
      {"address = \"10.0.1.11/24\"", "must be ADDRESS/LENGTH"},
  }));
  Gateway gateway;
  gateway.write_plan("netns/private.conf", "interface = eth1\n" + line + "\n");
  const auto fault = fault_of(gateway);
  CHECK_THAT(fault, ContainsSubstring("/netns/private.conf:2: "));
  CHECK_THAT(fault, ContainsSubstring(rule));
}

TEST_CASE("a namespace's file may have lines of CR LF and comments, and public.conf may have lo") {
  Gateway gateway;
  gateway.write_plan("netns/private.conf",
                     "# site\r\n\r\ninterface = eth1\r\n address=10.0.1.11/24 # the site's\r\n");
  gateway.write_plan("netns/public.conf", "interface = lo\naddress = 192.0.2.77/32\n");
  gateway.write_plan("units",
                     "routevpn-netns@private.service\nroutevpn-netns@public.service\n"
                     "routevpn-bird@private.service\n"
                     "routevpn@rv2-1.service\nroutevpn@rv3-1.service\n");
  const auto applied = apply_to(gateway);
  CHECK(applied.faults.empty());
  CHECK(applied.status == 0);
}

TEST_CASE("an address above its interface is refused") {
  Gateway gateway;
  gateway.write_plan("netns/private.conf", "address = 10.0.1.11/24\ninterface = eth1\n");
  CHECK_THAT(fault_of(gateway),
             ContainsSubstring("/netns/private.conf:1: address = 10.0.1.11/24: must stand behind"));
}

TEST_CASE("an interface that does not exist is refused before the namespace is made") {
  Gateway gateway;
  gateway.write_plan("netns/private.conf", "interface = eth1\ninterface = eth7\n");
  CHECK_THAT(
      fault_of(gateway),
      ContainsSubstring("/netns/private.conf: interface = eth7: does not exist on this machine"));
  CHECK_FALSE(std::filesystem::exists(gateway.on_machine("/etc/routevpn")));
  // The interface may be in the namespace already.
  gateway.write_machine("/run/netns/private", "");
  CHECK(fault_of(gateway) ==
        "the network namespace private exists, and routevpn-netns@private.service did not make it: "
        "'ip netns del private' removes it");
  gateway.write_machine("/run/routevpn/netns/private", "eth7\n");
  CHECK(apply_to(gateway).faults.empty());
}
