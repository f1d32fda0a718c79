// A packet through a masquerading gateway, and its answer:
//
//   TUN rv0 (10.255.0.1/30) - gateway - veth 198.51.100.1/24 ... 198.51.100.2 - server
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "routevpn/base/address.hpp"
#include "routevpn/host/guardian.hpp"
#include "routevpn/host/netlink.hpp"
#include "routevpn/inside/carrier.hpp"
#include "routevpn/inside/tun.hpp"

#include "catch.hpp"
#include "datagram.hpp"
#include "guardian_duties.hpp"
#include "namespace_lab.hpp"

using namespace routevpn;
using namespace routevpn::host;
using routevpn::inside::Carrier;
using routevpn::inside::IoResult;
using routevpn::inside::Tun;

namespace {

struct Family {
  int family;
  const char* client;
  const char* gateway;  // the source address that the server sees
  const char* server;
};
constexpr Family ipv4{AF_INET, "10.255.0.2", "198.51.100.1", "198.51.100.2"};
constexpr Family ipv6{AF_INET6, "2001:db8:ff::1", "2001:db8:9::1", "2001:db8:9::2"};

Fd server_socket(const TestNetns& server, const Family& family) {
  const NetnsScope inside(server.open());
  Fd fd(socket(family.family, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  sockaddr_storage address{};
  const SocketAddress local{.address = IpAddress::parse(family.server).value(),
                            .port = datagram_port};
  const socklen_t length = local.to_kernel(address, family.family);
  REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  return fd;
}

void join(const TestNetns& gateway, const TestNetns& server) {
  gateway.must("ip link add v0 type veth peer name v0 netns " + server.name());
  for (const auto& [end, number] : {std::pair{&gateway, "1"}, std::pair{&server, "2"}}) {
    end->must(std::string("ip address add 198.51.100.") + number + "/24 dev v0");
    end->must(std::string("ip address add 2001:db8:9::") + number + "/64 dev v0 nodad");
    end->must("ip link set v0 up");
  }
}

}  // namespace

TEST_CASE("packets from the link leave with the gateway's address, and answers return") {
  if (!can_make_namespaces()) return;
  const TestNetns gateway;
  const TestNetns server;
  join(gateway, server);
  const Family family = GENERATE(ipv4, ipv6);
  const NetnsScope inside(gateway.open());
  const Tun tun = Tun::create("rv0");
  Netlink().set_up({.name = "rv0",
                    .mtu = 1415,
                    .addresses = {IpPrefix::parse("10.255.0.1/30").value(),
                                  IpPrefix::parse("2001:db8:ff::/127").value()},
                    .routes = {}});
  Carrier::of(tun).set(true);
  const Guardian guardian = start_guardian(nat_duties, gateway);

  const Fd socket = server_socket(server, family);
  std::vector<std::uint8_t> packet = datagram(family.client, family.server);
  const std::array<iovec, 1> buffers{{{packet.data(), packet.size()}}};
  sockaddr_storage from{};
  socklen_t from_length = sizeof from;
  // Repeats the packet until it arrives, because the veth may not be ready at first.
  REQUIRE(soon([&] {
    if (tun.write(buffers) != IoResult::ok) return false;
    return recvfrom(socket.get(), nullptr, 0, 0, reinterpret_cast<sockaddr*>(&from),
                    &from_length) == 0;
  }));
  CHECK(SocketAddress::from_kernel(from).address == IpAddress::parse(family.gateway).value());

  REQUIRE(sendto(socket.get(), "yes", 3, 0, reinterpret_cast<sockaddr*>(&from), from_length) == 3);
  const IpAddress expected = IpAddress::parse(family.client).value();
  const std::size_t target_at = vnet_bytes + (expected.is_v4() ? 16 : 24);
  std::vector<std::uint8_t> answer(70000);
  std::size_t length = 0;
  CHECK(soon([&] {
    return tun.read(answer, length) == IoResult::ok && length >= target_at + expected.bits() / 8 &&
           std::memcmp(&answer[target_at], expected.bytes().data(), expected.bits() / 8) == 0;
  }));
}
