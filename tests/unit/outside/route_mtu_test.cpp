#include <optional>
#include <tuple>

#include <unistd.h>

#include "private_network.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

namespace {

// {now, most}; {0, 0} when there is no route.
std::pair<unsigned, unsigned> mtus(const RouteProbe& probe, const char* address) {
  const auto mtu = probe.look_up({ip(address), 7754});
  return mtu ? std::pair{mtu->now, mtu->most} : std::pair{0U, 0U};
}

// The sockets' own address and port; 0.0.0.0:0 or [::]:0 if they have none.
std::string own_address(const RouteProbe& probe, bool v4) {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  getsockname(probe.fd(v4), reinterpret_cast<sockaddr*>(&name), &length);
  return SocketAddress::from_kernel(name).to_string();
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

  const RouteProbe probe = RouteProbe::open(0);
  const RouteProbe marked = RouteProbe::open(5);
  CHECK(mtus(probe, "192.0.2.9") == std::pair{1400U, 1400U});
  CHECK(mtus(probe, "2001:db8::9") == std::pair{1400U, 1400U});
  CHECK(mtus(probe, "198.51.100.9") == std::pair{1300U, 1400U});
  CHECK(mtus(probe, "2001:db8:2::9") == std::pair{1300U, 1400U});
  CHECK(mtus(marked, "203.0.113.9") == std::pair{1280U, 1400U});
  CHECK(mtus(probe, "203.0.113.9") == std::pair{0U, 0U});
  CHECK(mtus(probe, "2001:db8:1::9") == std::pair{0U, 0U});
  CHECK(mtus(probe, "192.0.2.9") == std::pair{1400U, 1400U});
  CHECK(mtus(probe, "127.0.0.1") == std::pair{65535U, 65535U});
  CHECK(mtus(probe, "::1") == std::pair{65536U, 65536U});
}

TEST_CASE("a look-up sends nothing") {
  const PrivateNetwork network;
  run("ip link add va type veth peer name vb");
  run("ip link set va up && ip link set vb up");
  add_address("192.0.2.1/24", "va");
  run("ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev va");
  run("nft 'table ip t { chain o { type filter hook output priority 0; ip daddr 192.0.2.9 counter "
      "drop; }; }'");
  const RouteProbe probe = RouteProbe::open(0);
  CHECK(mtus(probe, "192.0.2.9") == std::pair{1500U, 1500U});
  CHECK(own_address(probe, true) == "0.0.0.0:0");
  CHECK(own_address(probe, false) == "[::]:0");
  run("nft list table ip t | grep -q 'packets 0 '");
}

TEST_CASE("a look-up does not keep the source address of the look-up before") {
  const PrivateNetwork network;
  run("ip link add va mtu 1400 type veth peer name vb");
  run("ip link set va up && ip link set vb up");
  add_address("192.0.2.1/24", "va");
  add_address("2001:db8::1/64", "va");
  run("ip link add vc mtu 1500 type veth peer name vd");
  run("ip link set vc up && ip link set vd up");
  add_address("198.51.100.1/24", "vc");
  add_address("2001:db8:2::1/64", "vc");
  // What comes from va's address takes a narrower route to vc's network.
  run("ip route add default dev va mtu 1300 table 50");
  run("ip rule add from 192.0.2.1 to 198.51.100.0/24 table 50");
  run("ip -6 route add default dev va mtu 1300 table 50");
  run("ip -6 rule add from 2001:db8::1 to 2001:db8:2::/64 table 50");
  const RouteProbe probe = RouteProbe::open(0);
  for (int i = 0; i < 2; ++i) {
    CHECK(mtus(probe, "192.0.2.9") == std::pair{1400U, 1400U});
    CHECK(mtus(probe, "198.51.100.9") == std::pair{1500U, 1500U});
    CHECK(mtus(probe, "2001:db8::9") == std::pair{1400U, 1400U});
    CHECK(mtus(probe, "2001:db8:2::9") == std::pair{1500U, 1500U});
  }
}

TEST_CASE("a look-up works after its process was interrupted and the host lost the address") {
  const PrivateNetwork network;
  run("ip link add va mtu 1400 type veth peer name vb");
  run("ip link set va up && ip link set vb up");
  const RouteProbe probe = RouteProbe::open(0);
  for (const auto& [prefix, other, peer] :
       {std::tuple{"192.0.2.1/24", "192.0.2.2/24", "192.0.2.9"},
        std::tuple{"2001:db8::1/64", "2001:db8::2/64", "2001:db8::9"}}) {
    const bool v4 = ip(peer).is_v4();
    CAPTURE(peer);
    add_address(prefix, "va");
    // As a process leaves the socket that is killed after its connect() and send().
    sockaddr_storage name{};
    const socklen_t length = SocketAddress{ip(peer), 9}.to_kernel(name, v4 ? AF_INET : AF_INET6);
    REQUIRE(connect(probe.fd(v4), reinterpret_cast<const sockaddr*>(&name), length) == 0);
    const auto oversize = pattern(2000);
    REQUIRE(::send(probe.fd(v4), oversize.data(), oversize.size(), 0) < 0);
    run(std::string("ip address del ") + prefix + " dev va && ip link set va mtu 1350");
    add_address(other, "va");
    CHECK(mtus(probe, peer) == std::pair{1350U, 1350U});
    run("ip link set va mtu 1400");
    CHECK(mtus(probe, peer) == std::pair{1400U, 1400U});
  }
}

TEST_CASE("an adopted RouteProbe looks up in the namespace in which it was opened") {
  std::optional<RouteProbe> probe;
  {
    const PrivateNetwork network;
    run("ip link add va mtu 1400 type veth peer name vb");
    run("ip link set va up && ip link set vb up");
    add_address("192.0.2.1/24", "va");
    const RouteProbe opened = RouteProbe::open(0);
    probe.emplace(RouteProbe::adopt(Fd(dup(opened.fd(true))), Fd()));
  }
  CHECK(mtus(*probe, "192.0.2.9") == std::pair{1400U, 1400U});
  CHECK(probe->fd(false) == -1);
  CHECK(mtus(*probe, "::1") == std::pair{0U, 0U});
}
