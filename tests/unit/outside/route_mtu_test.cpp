#include "private_network.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

namespace {

// {now, most}; {0, 0} when there is no route.
std::pair<unsigned, unsigned> mtus(const char* address, std::uint32_t mark = 0) {
  const auto mtu = route_mtu({ip(address), 7754}, mark);
  return mtu ? std::pair{mtu->now, mtu->most} : std::pair{0U, 0U};
}

}  // namespace

TEST_CASE("the MTU is the interface's, or the route's own, in the table for the mark") {
  const PrivateNetwork network;
  run("ip link add va mtu 1400 type veth peer name vb mtu 1400");
  run("ip link set va up && ip link set vb up");
  add_address("192.0.2.1/24", "va");
  add_address("2001:db8::1/64", "va");
  run("ip route add 198.51.100.0/24 dev va mtu 1300");
  run("ip route add 2001:db8:2::/64 dev va mtu 1300");
  run("ip route add 203.0.113.0/24 dev va table 50 mtu 1280 && ip rule add fwmark 5 table 50");

  CHECK(mtus("192.0.2.9") == std::pair{1400U, 1400U});
  CHECK(mtus("2001:db8::9") == std::pair{1400U, 1400U});
  CHECK(mtus("198.51.100.9") == std::pair{1300U, 1400U});
  CHECK(mtus("2001:db8:2::9") == std::pair{1300U, 1400U});
  CHECK(mtus("203.0.113.9", 5) == std::pair{1280U, 1400U});
  CHECK(mtus("203.0.113.9") == std::pair{0U, 0U});
  CHECK(mtus("2001:db8:1::9") == std::pair{0U, 0U});
  CHECK(mtus("127.0.0.1") == std::pair{65535U, 65535U});
  CHECK(mtus("::1") == std::pair{65536U, 65536U});
}

TEST_CASE("route_mtu() sends nothing") {
  const PrivateNetwork network;
  run("ip link add va type veth peer name vb");
  run("ip link set va up && ip link set vb up");
  add_address("192.0.2.1/24", "va");
  run("ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev va");
  run("nft 'table ip t { chain o { type filter hook output priority 0; ip daddr 192.0.2.9 counter "
      "drop; }; }'");
  CHECK(mtus("192.0.2.9") == std::pair{1500U, 1500U});
  run("nft list table ip t | grep -q 'packets 0 '");
}
