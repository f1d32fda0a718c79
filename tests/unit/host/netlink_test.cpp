#include "routevpn/host/netlink.hpp"

#include <optional>
#include <vector>

#include <linux/rtnetlink.h>

#include "routevpn/base/error.hpp"
#include "routevpn/host/linkdown_routes.hpp"
#include "routevpn/inside/carrier.hpp"
#include "routevpn/inside/tun.hpp"

#include "catch.hpp"
#include "link_monitor.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;
using Catch::Matchers::StartsWith;
using routevpn::inside::Carrier;
using routevpn::inside::Tun;

namespace {

std::vector<IpPrefix> prefixes(const std::vector<std::string>& texts) {
  std::vector<IpPrefix> result;
  result.reserve(texts.size());
  for (const std::string& text : texts) result.push_back(IpPrefix::parse(text).value());
  return result;
}

InterfaceSetup interconnect(const std::string& name) {
  return {.name = name,
          .mtu = 1415,
          .addresses = prefixes({"10.255.0.1/30", "2001:db8:ff::/127", "fe80::1/64"}),
          .routes = prefixes({"10.2.0.0/16", "2001:db8:2::/48"})};
}

template <typename Error>
std::string error_of(const InterfaceSetup& setup) {
  Netlink netlink;
  try {
    netlink.set_up(setup);
  } catch (const Error& error) {
    return error.what();
  }
  return "no such error";
}

}  // namespace

TEST_CASE("an interface gets its addresses, MTU and routes, and none from the kernel") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const std::string name = GENERATE("rv0", "rv.7-1");  // a dot divides names in sysctl(8) only
  const Tun tun = Tun::create(name);
  Netlink().set_up(interconnect(name));

  CHECK_THAT(lab.ip("link show " + name), ContainsSubstring("mtu 1415"));
  CHECK_THAT(lab.ip("link show " + name), ContainsSubstring("NO-CARRIER,POINTOPOINT,MULTICAST,"
                                                            "NOARP,UP"));
  const std::string addresses = lab.ip("-br address show " + name);
  CHECK_THAT(addresses, ContainsSubstring("10.255.0.1/30 2001:db8:ff::/127 fe80::1/64"));
  CHECK(lab.ip("-6 address show tentative").empty());
  CHECK_THAT(lab.ip("-6 address show " + name), ContainsSubstring("scope global nodad"));
  CHECK(lab.sysctl("ipv6/conf/" + name + "/accept_ra") == "0\n");
  CHECK(lab.ip("route show 10.2.0.0/16") ==
        "10.2.0.0/16 dev " + name + " proto static scope link linkdown \n");
  CHECK_THAT(lab.ip("-6 route show 2001:db8:2::/48"),
             ContainsSubstring("2001:db8:2::/48 dev " + name + " proto static metric 1024"));
}

TEST_CASE("an interface with queues has one queueing discipline, which stores nothing") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun tun = Tun::create("rv0", true);
  auto setup = interconnect("rv0");
  setup.has_queues = true;
  setup.queue_packets = 1000;
  Netlink().set_up(setup);
  CHECK_THAT(lab.ip("link show rv0"), ContainsSubstring("qlen 1000"));
  const auto carrier = routevpn::inside::Carrier::of(tun);
  for (const bool on : {true, false, true}) {
    carrier.set(on);
    CHECK_THAT(lab.run_inside("tc qdisc show dev rv0").text,
               StartsWith("qdisc noqueue") && !ContainsSubstring("\nqdisc"));
  }
  lab.must("bash -c 'echo -n hello > /dev/udp/10.255.0.2/9'");
  std::vector<std::uint8_t> buffer(70000);
  std::size_t length = 0;
  CHECK(soon([&] { return tun.read(buffer, length) == routevpn::inside::IoResult::ok; }));
}

TEST_CASE("routes go to the configured table") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun tun = Tun::create("rv0");
  InterfaceSetup setup = interconnect("rv0");
  setup.routes = prefixes({"0.0.0.0/0", "::/0", "10.2.3.4/16"});
  setup.table = 70000;  // more than the header's eight bits
  Netlink().set_up(setup);
  CHECK_THAT(lab.ip("route show table 70000"), ContainsSubstring("default dev rv0"));
  CHECK_THAT(lab.ip("route show table 70000"), ContainsSubstring("10.2.0.0/16 dev rv0"));
  CHECK_THAT(lab.ip("-6 route show table 70000"), ContainsSubstring("default dev rv0"));
  CHECK_THAT(lab.ip("route show"), !ContainsSubstring("default"));
}

TEST_CASE("a change of carrier changes the link and nothing else") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun tun = Tun::create("rv0");
  const Carrier carrier = Carrier::of(tun);
  Netlink netlink;
  InterfaceSetup setup = interconnect("rv0");
  SECTION("with both families") {}
  SECTION("with IPv4 only") {
    setup.addresses = prefixes({"10.255.0.1/30"});
    setup.routes.clear();
  }
  SECTION("without addresses") {
    setup.addresses.clear();
    setup.routes.clear();
  }
  netlink.set_up(setup);
  // The kernel skips duplicate detection (nodad) in the background. After that it adds the
  // address's local route and announces both.
  for (const IpPrefix& prefix : setup.addresses) {
    const std::string family = prefix.address.is_v4() ? "-4" : "-6";
    const std::string route = "local " + prefix.address.to_string() + " ";
    REQUIRE(soon([&] {
      return lab.ip(family + " route show table local dev rv0").find(route) != std::string::npos;
    }));
  }
  const std::string addresses = lab.ip("-o address show rv0");

  LinkMonitor monitor;
  for (const bool on : {true, false, true, false, true}) {
    carrier.set(on);
    CHECK(monitor.saw_carrier("rv0", on));
    CHECK(lab.ip("-o address show rv0") == addresses);
    CHECK(lab.ip("-6 address show tentative").empty());
  }
  netlink.set_mtu("rv0", 1400);
  CHECK(monitor.saw_mtu("rv0", 1400));
  CHECK(monitor.types() == std::vector<int>(6, RTM_NEWLINK));
}

TEST_CASE("without carrier the kernel skips the link's routes") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun tun = Tun::create("rv0");
  const Carrier carrier = Carrier::of(tun);
  Netlink().set_up(interconnect("rv0"));
  LinkdownRoutes routes("rv0");
  CHECK_THAT(lab.ip("route get 10.2.0.1"), ContainsSubstring("dev rv0"));  // not yet
  {
    const TestNetns elsewhere;
    const NetnsScope outside(elsewhere.open());
    routes.ignore();
  }
  CHECK(lab.sysctl("ipv4/conf/rv0/ignore_routes_with_linkdown") == "1\n");
  CHECK(lab.sysctl("ipv6/conf/rv0/ignore_routes_with_linkdown") == "1\n");
  LinkMonitor monitor;
  CHECK_THAT(lab.ip("route get 10.2.0.1"), ContainsSubstring("Network is unreachable"));
  CHECK_THAT(lab.ip("route get 2001:db8:2::1"), ContainsSubstring("unreachable"));
  carrier.set(true);
  REQUIRE(monitor.saw_carrier("rv0", true));
  CHECK_THAT(lab.ip("route get 10.2.0.1"), ContainsSubstring("dev rv0"));
  CHECK_THAT(lab.ip("route get 2001:db8:2::1"), ContainsSubstring("dev rv0"));
  carrier.set(false);
  REQUIRE(monitor.saw_carrier("rv0", false));
  CHECK_THAT(lab.ip("route get 10.2.0.1"), ContainsSubstring("Network is unreachable"));
}

TEST_CASE("the MTU can be changed from outside the namespace") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  std::optional<Tun> tun;
  std::optional<Netlink> netlink;
  {
    const NetnsScope inside(lab.open());
    tun.emplace(Tun::create("rv0"));
    netlink.emplace();
    netlink->set_up(interconnect("rv0"));
  }
  netlink->set_mtu("rv0", 1300);
  CHECK_THAT(lab.ip("link show rv0"), ContainsSubstring("mtu 1300"));
  CHECK_THROWS_AS(netlink->set_mtu("rv0", 70000), SystemError);
  CHECK_THROWS_AS(netlink->set_mtu("rv1", 1300), SystemError);
}

TEST_CASE("the error names what the kernel refused") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  const Tun tun = Tun::create("rv0");
  InterfaceSetup setup = interconnect("rv0");

  SECTION("a route that already exists") {
    lab.must("ip route add blackhole 10.2.0.0/16");
    CHECK(error_of<UsageError>(setup) == "route 10.2.0.0/16 already exists");
  }
  SECTION("an IPv6 route that already exists") {
    lab.must("ip route add 2001:db8:2::/48 dev lo");
    CHECK(error_of<UsageError>(setup) == "route 2001:db8:2::/48 already exists");
  }
  SECTION("the same address twice") {
    setup.addresses.push_back(setup.addresses.front());
    CHECK(error_of<UsageError>(setup) == "address 10.255.0.1/30 already exists");
  }
  SECTION("a multicast address") {
    setup.addresses = prefixes({"ff02::1/64"});
    CHECK_THAT(error_of<UsageError>(setup),
               ContainsSubstring("address ff02::1/64 is refused by the kernel: "));
  }
  SECTION("IPv6 in a namespace without") {
    lab.must("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
    CHECK_THAT(error_of<UsageError>(setup),
               ContainsSubstring("address 2001:db8:ff::/127: IPv6 is switched off"));
  }
  SECTION("IPv6 on too small an MTU") {
    setup.mtu = 1279;
    CHECK(error_of<UsageError>(setup) ==
          "address 2001:db8:ff::/127: IPv6 needs an mtu of 1280 at least, not 1279");
  }
  SECTION("an interface that does not exist") {
    setup.name = "rv1";
    CHECK_THAT(error_of<SystemError>(setup), ContainsSubstring("interface rv1: "));
  }
}

TEST_CASE("IPv4 works without IPv6") {
  if (!can_make_namespaces()) return;
  const TestNetns lab;
  const NetnsScope inside(lab.open());
  InterfaceSetup setup{
      .name = "rv0", .mtu = 1415, .addresses = prefixes({"10.255.0.1/30"}), .routes = {}};
  SECTION("switched off") {
    lab.must("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
  }
  SECTION("too small an MTU") {
    setup.mtu = 576;
  }
  const Tun tun = Tun::create("rv0");
  CHECK_NOTHROW(Netlink().set_up(setup));
  CHECK_THAT(lab.ip("-br address show rv0"), ContainsSubstring("10.255.0.1/30"));
}
