#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "private_network.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

namespace {

int option_of(const UdpSocket& socket, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  getsockopt(socket.fd(), level, name, &value, &length);
  return value;
}

std::string usage_error(const UdpOptions& options) {
  try {
    UdpSocket::open(options);
  } catch (const UsageError& error) {
    return (error.status == Exit::failed ? "may end: " : "") + std::string(error.what());
  }
  return "no error";
}

}  // namespace

TEST_CASE("a port in use is a usage error that names the port") {
  const PrivateNetwork network;
  const UdpSocket first = UdpSocket::open({{}, 7754, 0});
  CHECK(usage_error({ip("0.0.0.0"), 7754, 0}) == "--listen 0.0.0.0:7754: port 7754 is in use");
  CHECK(usage_error({ip("::1"), 7754, 0}) == "--listen [::1]:7754: port 7754 is in use");
  CHECK(usage_error({{}, 7754, 0}) == "--listen 7754: port 7754 is in use");
  CHECK(UdpSocket::open({{}, 7755, 0}).local().port == 7755);
}

TEST_CASE("an address that this host does not have is a fault that may end") {
  const PrivateNetwork network;
  CHECK(usage_error({ip("192.0.2.1"), 1, 0}) ==
        "may end: --listen 192.0.2.1:1: 192.0.2.1 is not an address of this network namespace, or "
        "is still tentative");
  CHECK(usage_error({ip("2001:db8::1"), 1, 0}) ==
        "may end: --listen [2001:db8::1]:1: 2001:db8::1 is not an address of this network "
        "namespace, or is still tentative");
  CHECK_THAT(usage_error({ip("fe80::1"), 1, 0}), ContainsSubstring("is link-local"));
}

TEST_CASE("IPv4 any and IPv6 any share a port") {
  const PrivateNetwork network;
  const UdpSocket v6 = UdpSocket::open({ip("::"), 7754, 0});
  const UdpSocket v4 = UdpSocket::open({ip("0.0.0.0"), 7754, 0});
  CHECK(v4.local().to_string() == "0.0.0.0:7754");
  CHECK(v6.local().to_string() == "[::]:7754");
}

TEST_CASE("datagrams have DF set, and the kernel's path MTU is ignored") {
  const PrivateNetwork network;
  const UdpSocket dual = UdpSocket::open({});
  CHECK(option_of(dual, IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_PROBE);
  CHECK(option_of(dual, IPPROTO_IPV6, IPV6_MTU_DISCOVER) == IPV6_PMTUDISC_PROBE);
  CHECK(option_of(open_at("127.0.0.1"), IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_PROBE);
  CHECK(option_of(open_at("::1"), IPPROTO_IPV6, IPV6_MTU_DISCOVER) == IPV6_PMTUDISC_PROBE);
}

TEST_CASE("buffers hold 8 MiB, the mark is set, and the socket is non-blocking and close-on-exec") {
  const PrivateNetwork network;
  const UdpSocket socket = UdpSocket::open({{}, 0, 77});
  CHECK(option_of(socket, SOL_SOCKET, SO_RCVBUF) >= 8 << 20);
  CHECK(option_of(socket, SOL_SOCKET, SO_SNDBUF) >= 8 << 20);
  CHECK(option_of(socket, SOL_SOCKET, SO_MARK) == 77);
  CHECK((fcntl(socket.fd(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(socket.fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("an adopted socket has the family and the options with which it was opened") {
  const PrivateNetwork network;
  run("ip address add 127.0.0.2/8 dev lo");
  const UdpSocket receiver = open_at("127.0.0.1");
  const bool v6 = GENERATE(false, true);
  const bool routed_source = GENERATE(false, true);
  CAPTURE(v6, routed_source);
  const UdpSocket opened = v6 ? UdpSocket::open({}) : UdpSocket::open({ip("0.0.0.0"), 0, 0});
  CHECK(opened.family() == (v6 ? AF_INET6 : AF_INET));
  const UdpSocket adopted = UdpSocket::adopt(Fd(dup(opened.fd())), opened.family(), routed_source);
  CHECK(adopted.family() == opened.family());
  CHECK(adopted.local() == opened.local());
  Endpoint there = to("127.0.0.1", receiver);
  there.local = ip("127.0.0.2");
  REQUIRE(adopted.send_one(pattern(10), there) == SendResult::ok);
  const Receipt receipt = receive_all(receiver, 10);
  CHECK(receipt.last.from.remote.address == ip(routed_source ? "127.0.0.1" : "127.0.0.2"));
  CHECK(receipt.last.from.remote.port == opened.local().port);
}

TEST_CASE("restore() undoes a connect() and a held-back datagram of another process") {
  const PrivateNetwork network;
  const bool v6 = GENERATE(false, true);
  CAPTURE(v6);
  const char* const loopback = v6 ? "::1" : "127.0.0.1";
  const UdpSocket lane = UdpSocket::open({{}, 7754, 0});
  const UdpSocket peer = open_at(loopback);
  const UdpSocket intruder = open_at(loopback);
  const int copy = dup(lane.fd());
  const Fd other_process(copy);
  sockaddr_storage name{};
  const socklen_t length = to(loopback, intruder).remote.to_kernel(name, AF_INET6);
  REQUIRE(connect(copy, reinterpret_cast<const sockaddr*>(&name), length) == 0);
  REQUIRE(::send(copy, "held", 4, MSG_MORE) == 4);
  REQUIRE(peer.send_one(pattern(10), to(loopback, lane)) == SendResult::ok);
  CHECK(receive_all(lane, 0).bytes.empty());  // refused by the connected socket

  lane.restore();
  CHECK(lane.local().port == 7754);
  REQUIRE(peer.send_one(pattern(10), to(loopback, lane)) == SendResult::ok);
  CHECK(receive_all(lane, 10).bytes.size() == 10);
  REQUIRE(lane.send_one(pattern(20), to(loopback, peer)) == SendResult::ok);
  const Receipt receipt = receive_all(peer, 20);
  CHECK(receipt.bytes == pattern(20));
  CHECK(receipt.last.from.remote.port == 7754);
}
