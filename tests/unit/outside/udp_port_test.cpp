// Options of the second socket on an acceptor's port, and what else may use the port.

#include <cerrno>

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "two_sockets.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

namespace {

// The error of binding a new socket with this option to the port, in a process of another user.
int error_of_another_user(int option, const char* address) {
  sockaddr_storage name{};
  const int family = ip(address).family();
  const socklen_t length = SocketAddress{ip(address), port}.to_kernel(name, family);
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t other = 65534;
    constexpr int failed = 200;
    const int on = 1;
    if (setresuid(other, other, other) != 0) _exit(failed);
    const int fd = ::socket(family, SOCK_DGRAM, 0);
    if (fd < 0) _exit(failed);
    if (option != 0 && setsockopt(fd, SOL_SOCKET, option, &on, sizeof on) != 0) _exit(failed);
    const int result = ::bind(fd, reinterpret_cast<const sockaddr*>(&name), length);
    _exit(result == 0 ? 0 : errno);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("a second socket sends from the port, to others than its peer, too") {
  const PrivateNetwork network;
  run("ip address add 127.0.0.2/8 dev lo");
  const auto bound = GENERATE(from_range(all_bound));
  const bool connected = GENERATE(false, true);
  CAPTURE(bound.lane == nullptr ? "any" : bound.lane, bound.from, connected);
  const Lane lane(bound.lane);
  const Sender peer(bound.from, bound.to);
  const Sender other(bound.from, bound.to);
  if (connected) REQUIRE(lane.second.connect_to(peer.address()));
  for (const Sender* const sender : {&peer, &other}) {
    const Endpoint there{sender->address(), ip(bound.to)};
    REQUIRE(lane.second.send_one(pattern(20), there) == SendResult::ok);
    const Receipt receipt = receive_all(sender->socket, 20);
    CHECK(receipt.bytes == pattern(20));
    CHECK(receipt.last.from.remote == SocketAddress{ip(bound.to), port});
  }
}

// The monitor calls it when a worker has ended.
TEST_CASE("receive_nothing() undoes a connect() and held-back datagrams of another process") {
  const PrivateNetwork network;
  const bool corked = GENERATE(false, true);
  CAPTURE(corked);
  const Lane lane("127.0.0.1");
  const Sender peer("127.0.0.1", "127.0.0.1");
  const Sender intruder("127.0.0.1", "127.0.0.1");
  const Fd other_process(dup(lane.second.fd()));
  REQUIRE(lane.second.connect_to(intruder.address()));
  const int on = 1;
  if (corked) {
    REQUIRE(setsockopt(other_process.get(), IPPROTO_UDP, UDP_CORK, &on, sizeof on) == 0);
  }
  REQUIRE(::send(other_process.get(), "held", 4, corked ? 0 : MSG_MORE) == 4);

  lane.second.receive_nothing();
  CHECK(receiver_of(lane, intruder) == "first");
  const Endpoint there{peer.address(), {}};
  REQUIRE(lane.second.send_one(pattern(20), there) == SendResult::ok);
  CHECK(receive_all(peer.socket, 20).bytes == pattern(20));
}

TEST_CASE("a second socket has the options of the first") {
  const PrivateNetwork network;
  UdpOptions options = options_of(nullptr);
  options.mark = 77;
  const UdpSocket first = UdpSocket::open(options);
  const UdpSocket second = UdpSocket::open_beside(first, options);
  const auto option_of = [&second](int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    getsockopt(second.fd(), level, name, &value, &length);
    return value;
  };
  CHECK(option_of(SOL_SOCKET, SO_MARK) == 77);
  CHECK(option_of(SOL_SOCKET, SO_RCVBUF) >= 8 << 20);
  CHECK(option_of(IPPROTO_UDP, UDP_GRO) == 1);
  CHECK(option_of(IPPROTO_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_PROBE);
  CHECK(option_of(IPPROTO_IPV6, IPV6_MTU_DISCOVER) == IPV6_PMTUDISC_PROBE);
  CHECK((fcntl(second.fd(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(second.fd(), F_GETFD) & FD_CLOEXEC) != 0);
}

// `ip vrf exec` binds the sockets of a program to the VRF's device. A connection to AF_UNSPEC ends
// that, so the second socket would send outside the VRF.
TEST_CASE("there is no second socket in a VRF") {
  const PrivateNetwork network;
  const UdpSocket first = UdpSocket::open(options_of(nullptr));
  REQUIRE(setsockopt(first.fd(), SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof "lo") == 0);
  CHECK_THROWS_AS(UdpSocket::open_beside(first, options_of(nullptr)), SystemError);
}

TEST_CASE("a port with a second socket is in use for other links") {
  const PrivateNetwork network;
  const auto bound = GENERATE(from_range(all_bound));
  const bool connected = GENERATE(false, true);
  CAPTURE(bound.lane == nullptr ? "any" : bound.lane, bound.from, connected);
  {
    const Lane lane(bound.lane);
    const Sender peer(bound.from, bound.to);
    if (connected) REQUIRE(lane.second.connect_to(peer.address()));
    CHECK_THROWS_AS(UdpSocket::open(options_of(bound.lane)), BusyError);
    CHECK_THROWS_AS(UdpSocket::open(options_of(bound.to)), BusyError);
  }
  CHECK(UdpSocket::open(options_of(bound.lane)).local().port == port);
}

TEST_CASE("another user's socket cannot share the port") {
  const PrivateNetwork network;
  const auto bound = GENERATE(from_range(all_bound));
  const bool connected = GENERATE(false, true);
  const int option = GENERATE(0, SO_REUSEADDR, SO_REUSEPORT);
  CAPTURE(bound.lane == nullptr ? "any" : bound.lane, bound.from, connected, option);
  {
    const Lane lane(bound.lane);
    const Sender peer(bound.from, bound.to);
    if (connected) REQUIRE(lane.second.connect_to(peer.address()));
    CHECK(error_of_another_user(option, bound.to) == EADDRINUSE);
    CHECK(error_of_another_user(option, ip(bound.to).is_v4() ? "0.0.0.0" : "::") == EADDRINUSE);
  }
  CHECK(error_of_another_user(option, bound.to) == 0);
}
