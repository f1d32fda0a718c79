// ICMP errors reach take_errors(), and no datagram is lost because of them.
#include <cerrno>

#include <unistd.h>

#include "private_network.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

namespace {

// Here --- router --- 192.0.2.129 and 2001:db8:1::1, with an MTU of 1300 behind the router.
class SmallPath {
 public:
  SmallPath() {
    static int number = 0;
    router_ = "rvu" + std::to_string(getpid()) + "-" + std::to_string(++number);
    run("ip netns add " + router_);
    run("ip link add va type veth peer name vb netns " + router_);
    run("ip link set va up && ip -n " + router_ + " link set vb up");
    run("ip -n " + router_ + " link add vc mtu 1300 type veth peer name vd");
    run("ip -n " + router_ + " link set vc up && ip -n " + router_ + " link set vd up");
    add_address("192.0.2.1/25", "va");
    add_address("2001:db8::1/64", "va");
    for (const auto* address : {"192.0.2.2/25 dev vb", "2001:db8::2/64 dev vb nodad",
                                "192.0.2.130/25 dev vc", "2001:db8:1::2/64 dev vc nodad"}) {
      run("ip -n " + router_ + " address add " + address);
    }
    run("ip netns exec " + router_ +
        " sysctl -qw net.ipv4.ip_forward=1 "
        "net.ipv6.conf.all.forwarding=1");
    run("ip route add default via 192.0.2.2 && ip route add default via 2001:db8::2");
  }
  ~SmallPath() {
    if (std::system(("ip netns delete " + router_).c_str()) != 0) std::abort();
  }
  SmallPath(const SmallPath&) = delete;
  SmallPath& operator=(const SmallPath&) = delete;

  void add_route(const std::string& route) const {
    run("ip -n " + router_ + " route add " + route);
  }

 private:
  const PrivateNetwork network_;
  std::string router_;
};

}  // namespace

TEST_CASE("a router's report of a too big datagram is read once, and sending continues") {
  const SmallPath path;
  const auto [own, peer, header] = GENERATE(table<const char*, const char*, std::size_t>(
      {{"", "192.0.2.129", 20}, {"192.0.2.1", "192.0.2.129", 20}, {"", "2001:db8:1::1", 40}}));
  CAPTURE(own, peer);
  UdpSocket socket = *own == '\0' ? UdpSocket::open({}) : open_at(own);
  const Endpoint to{{ip(peer), 9}, {}};
  CHECK_FALSE(socket.take_errors().too_big);
  const bool segmented = GENERATE(false, true);
  const auto run = pattern((segmented ? 10 : 1) * (1300 - header - 8 + 1));
  std::size_t sent = 0;
  REQUIRE(socket.send(run, 1300 - header - 8 + 1, to, sent) == SendResult::ok);
  REQUIRE(wait_for(socket.fd(), POLLERR));
  // The ICMP errors that wait on the socket do not fail later sends and receives.
  CHECK(socket.send(pattern(100), 100, to, sent) == SendResult::ok);
  Received received;
  std::vector<std::uint8_t> buffer(1UL << 16);
  CHECK(socket.receive(buffer, received) == RecvResult::would_block);
  const auto news = socket.take_errors();
  REQUIRE(news.too_big);
  CHECK(news.too_big->to == ip(peer));
  CHECK(news.too_big->mtu == 1300);
  CHECK_FALSE(news.too_big->by_own_interface);
  CHECK_FALSE(news.undelivered);
  CHECK_FALSE(socket.take_errors().too_big);
  CHECK(socket.segments());
  // The kernel lowers the path MTU; the limit of the interface stays.
  const auto route = RouteProbe::open(0).look_up(to.remote);
  REQUIRE(route);
  CHECK(route->now == 1300);
  CHECK(route->most == 1500);
  CHECK(socket.send_one(pattern(1500 - header - 8), to) == SendResult::ok);
}

TEST_CASE("a report of our own interface differs from a router's") {
  const SmallPath path;
  const auto* const peer = GENERATE("192.0.2.129", "2001:db8:1::1");
  UdpSocket socket = UdpSocket::open({});
  const Endpoint to{{ip(peer), 9}, {}};
  CHECK(socket.send_one(pattern(1500), to) == SendResult::failed);
  const auto news = socket.take_errors().too_big;
  REQUIRE(news);
  CHECK(news->to == ip(peer));
  CHECK(news->mtu == 1500);
  CHECK(news->by_own_interface);
}

TEST_CASE("an ICMP error tells who could not deliver a datagram, and why") {
  const SmallPath path;
  const auto [route, peer, reporter, error, prohibited] =
      GENERATE(table<const char*, const char*, const char*, int, bool>({
          {nullptr, "192.0.2.2", "192.0.2.2", ECONNREFUSED, false},
          {nullptr, "2001:db8::2", "2001:db8::2", ECONNREFUSED, false},
          {"unreachable 198.51.100.1", "198.51.100.1", "192.0.2.2", EHOSTUNREACH, false},
          {"prohibit 198.51.100.1", "198.51.100.1", "192.0.2.2", EHOSTUNREACH, true},
          {"unreachable 2001:db8:9::1", "2001:db8:9::1", "2001:db8::2", ENETUNREACH, false},
          {"prohibit 2001:db8:9::1", "2001:db8:9::1", "2001:db8::2", EACCES, true},
      }));
  CAPTURE(route, peer);
  if (route != nullptr) path.add_route(route);
  UdpSocket socket = UdpSocket::open({});
  const Endpoint to{{ip(peer), 9}, {}};
  REQUIRE(socket.send_one(pattern(100), to) == SendResult::ok);
  REQUIRE(wait_for(socket.fd(), POLLERR));
  const auto news = socket.take_errors();
  CHECK_FALSE(news.too_big);
  REQUIRE(news.undelivered);
  CHECK(news.undelivered->to == to.remote);
  CHECK(news.undelivered->reporter == ip(reporter));
  CHECK(news.undelivered->error == error);
  CHECK(news.undelivered->prohibited == prohibited);
  CHECK(socket.send_one(pattern(100), to) == SendResult::ok);
}

TEST_CASE("a datagram without a route fails with the kernel's error") {
  const PrivateNetwork network;
  UdpSocket socket = UdpSocket::open({});
  errno = 0;
  CHECK(socket.send_one(pattern(100), {{ip("192.0.2.2"), 9}, {}}) == SendResult::failed);
  CHECK(errno == ENETUNREACH);
}
