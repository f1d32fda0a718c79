// Which socket receives what, of two on an acceptor's port.

#include <optional>
#include <string_view>

#include <unistd.h>

#include "two_sockets.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

namespace {

// The namespace of the lane, whose loopback interface was never up, and beside it the peer's.
class WithoutLoopback {
 public:
  WithoutLoopback() : there_(::open("/proc/thread-self/ns/net", O_RDONLY)) {
    if (unshare(CLONE_NEWNET) != 0) throw system_error("a network namespace (needs root)");
    const std::string peers =
        "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(there_.get());
    run("ip link add eth0 type veth peer name eth0 netns " + peers);
    for (const auto& [enter, number] :
         {std::pair(std::string(), "2"), std::pair("nsenter --net=" + peers, "1")}) {
      run(enter + " ip link set eth0 up");
      run(enter + " ip address add 192.0.2." + number + "/24 dev eth0");
      run(enter + " ip address add 2001:db8::" + number + "/64 dev eth0 nodad");
    }
  }
  [[nodiscard]] Sender sender(const char* own, const char* lane) const {
    std::optional<Sender> opened;
    on_a_thread([&] {
      if (setns(there_.get(), CLONE_NEWNET) != 0) throw system_error("the peer's namespace");
      opened.emplace(own, lane);
    });
    return std::move(*opened);
  }

 private:
  PrivateNetwork there_network_;  // its destructor leaves that of the lane
  Fd there_;
};

}  // namespace

TEST_CASE("a second socket on the port receives nothing until it has a peer, then that peer's") {
  const PrivateNetwork network;
  const auto bound = GENERATE(from_range(all_bound));
  CAPTURE(bound.lane == nullptr ? "any" : bound.lane, bound.from);
  const Lane lane(bound.lane);
  CHECK(lane.second.local().port == port);
  CHECK(lane.second.family() == lane.first.family());
  expect_strangers_at_first(lane, bound.from, bound.to);

  const Sender peer(bound.from, bound.to);
  CHECK(receiver_of(lane, peer) == "first");
  REQUIRE(lane.second.connect_to(peer.address()));
  CHECK(receiver_of(lane, peer) == "second");
  expect_strangers_at_first(lane, bound.from, bound.to);
  CHECK(receiver_of(lane, peer) == "second");

  const Sender next(bound.from, bound.to);
  REQUIRE(lane.second.connect_to(next.address()));
  CHECK(receiver_of(lane, next) == "second");
  CHECK(receiver_of(lane, peer) == "first");
  expect_strangers_at_first(lane, bound.from, bound.to);

  lane.second.receive_nothing();
  CHECK(receiver_of(lane, next) == "first");
  CHECK(receiver_of(lane, peer) == "first");
  CHECK(lane.second.local().port == port);
}

TEST_CASE("a second socket tells its peer from others by address and by port") {
  const PrivateNetwork network;
  const Lane lane("127.0.0.2");
  const Sender peer("127.0.0.1", "127.0.0.2");
  REQUIRE(lane.second.connect_to(peer.address()));
  CHECK(receiver_of(lane, {"127.0.0.3", "127.0.0.2", peer.address().port}) == "first");
  CHECK(receiver_of(lane, {"127.0.0.1", "127.0.0.2"}) == "first");
  CHECK(receiver_of(lane, peer) == "second");
}

TEST_CASE("a second socket of every address moves between peers of IPv4 and IPv6") {
  const PrivateNetwork network;
  const Lane lane(nullptr);
  const Sender v4("127.0.0.1", "127.0.0.1");
  const Sender v6("::1", "::1");
  for (int i = 0; i < 3; ++i) {
    REQUIRE(lane.second.connect_to(v4.address()));
    CHECK(receiver_of(lane, v4) == "second");
    CHECK(receiver_of(lane, v6) == "first");
    REQUIRE(lane.second.connect_to(v6.address()));
    CHECK(receiver_of(lane, v6) == "second");
    CHECK(receiver_of(lane, v4) == "first");
  }
}

// The socket is bound to every address, and its connection to the address of the kernel's choice.
TEST_CASE(
    "a second socket receives nothing at another address of this host, but sends from there") {
  const PrivateNetwork network;
  const bool v6 = GENERATE(false, true);
  CAPTURE(v6);
  const char* const chosen = v6 ? "::1" : "127.0.0.1";
  const char* const other = v6 ? "2001:db8::1" : "192.0.2.1";
  add_address(other + std::string(v6 ? "/128" : "/32"), "lo");
  const Lane lane(nullptr);
  Sender peer(chosen, chosen);
  REQUIRE(lane.second.connect_to(peer.address()));
  CHECK(receiver_of(lane, peer) == "second");
  peer.to = other;
  CHECK(receiver_of(lane, peer) == "first");
  REQUIRE(lane.second.send_one(pattern(20), {peer.address(), ip(other)}) == SendResult::ok);
  CHECK(receive_all(peer.socket, 20).last.from.remote == SocketAddress{ip(other), port});
}

TEST_CASE("without a route to the peer a second socket receives nothing") {
  const PrivateNetwork network;
  const Lane lane(nullptr);
  const Sender peer("127.0.0.1", "127.0.0.1");
  REQUIRE(lane.second.connect_to(peer.address()));
  CHECK_FALSE(lane.second.connect_to({ip("192.0.2.9"), 1}));
  CHECK(receiver_of(lane, peer) == "first");
  expect_strangers_at_first(lane, "127.0.0.1", "127.0.0.1");
  REQUIRE(lane.second.connect_to(peer.address()));
  CHECK(receiver_of(lane, peer) == "second");
}

// A new namespace is so. Then this host may have no route to itself.
TEST_CASE("a second socket needs no loopback interface") {
  const auto bound = GENERATE(from_range(std::vector<Bound>{
      {"192.0.2.2", "192.0.2.1", "192.0.2.2"},
      {"2001:db8::2", "2001:db8::1", "2001:db8::2"},
      {"0.0.0.0", "192.0.2.1", "192.0.2.2"},
      {nullptr, "192.0.2.1", "192.0.2.2"},
      {nullptr, "2001:db8::1", "2001:db8::2"},
  }));
  const bool has_default_route = GENERATE(false, true);
  CAPTURE(bound.lane == nullptr ? "any" : bound.lane, bound.from, has_default_route);
  const WithoutLoopback networks;
  if (has_default_route) {
    run("ip route add default via 192.0.2.1");
    run("ip route add default via 2001:db8::1");
  }
  const Lane lane(bound.lane);
  // Sockets of every address have no route then, and share what comes.
  const bool is_any = bound.lane == nullptr || bound.lane == std::string_view("0.0.0.0");
  const bool shares = is_any && !has_default_route;
  for (int i = 0; i < 32; ++i) {
    const auto which = receiver_of(lane, networks.sender(bound.from, bound.to));
    CHECK((which == "first" || (shares && which == "second")));
  }
  const Sender peer = networks.sender(bound.from, bound.to);
  REQUIRE(lane.second.connect_to(peer.address()));
  CHECK(receiver_of(lane, peer) == "second");
  for (int i = 0; i < 32; ++i) {
    CHECK(receiver_of(lane, networks.sender(bound.from, bound.to)) == "first");
  }
}
