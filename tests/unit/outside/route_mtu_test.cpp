#include "private_network.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

TEST_CASE("the MTU of a route is its interface's, or its own, by the mark's table") {
  const PrivateNetwork network;
  run("ip link add va mtu 1400 type veth peer name vb mtu 1400");
  run("ip link set va up && ip link set vb up");
  add_address("192.0.2.1/24", "va");
  add_address("2001:db8::1/64", "va");
  run("ip route add 198.51.100.0/24 dev va mtu 1300");
  run("ip route add 203.0.113.0/24 dev va table 50 mtu 1280 && ip rule add fwmark 5 table 50");

  CHECK(route_mtu({ip("192.0.2.9"), 7754}, 0) == 1400U);
  CHECK(route_mtu({ip("2001:db8::9"), 7754}, 0) == 1400U);
  CHECK(route_mtu({ip("198.51.100.9"), 7754}, 0) == 1300U);
  CHECK(route_mtu({ip("203.0.113.9"), 7754}, 5) == 1280U);
  CHECK(route_mtu({ip("203.0.113.9"), 7754}, 0) == std::nullopt);
  CHECK(route_mtu({ip("2001:db8:1::9"), 7754}, 0) == std::nullopt);
}
