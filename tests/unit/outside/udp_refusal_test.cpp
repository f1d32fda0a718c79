// Errors of the kernel: real ones where a namespace can produce them, otherwise by a seccomp filter
// that makes a system call fail in a thread of its own.
#include <cerrno>
#include <cstddef>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "private_network.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

namespace {

constexpr std::uint32_t any_argument = 0xffffffff;

// From now on `call` fails on this thread, when its first argument is `argument`.
void refuse(long call, int error, std::uint32_t argument = any_argument) {
  const auto number = static_cast<std::uint32_t>(call);
  const auto refusal = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
  const std::uint8_t to_refusal = argument == any_argument ? 1 : 0;
  std::array<sock_filter, 7> program = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4),
      BPF_JUMP(BPF_JMP | BPF_JA, to_refusal == 1 ? 2U : 0U, 0, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, refusal),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    throw system_error("seccomp");
  }
}

// va with 192.0.2.1 and 2001:db8::1; no host answers behind it.
void add_veth(const std::string& mtu) {
  run("ip link add va mtu " + mtu + " type veth peer name vb mtu " + mtu);
  run("ip link set va up && ip link set vb up");
  add_address("192.0.2.1/24", "va");
  add_address("2001:db8::1/64", "va");
}

}  // namespace

TEST_CASE("where UDP_SEGMENT is refused, runs still pass without it") {
  const int error = GENERATE(EIO, EINVAL);
  on_a_thread([error] {
    const PrivateNetwork network;
    UdpSocket sender = open_at("127.0.0.1");
    const UdpSocket receiver = open_at("127.0.0.1");
    refuse(SYS_sendmsg, error);
    const auto run = pattern(200 * 300 + 11);
    std::size_t sent = 0;
    REQUIRE(sender.send(run, 300, to("127.0.0.1", receiver), sent, 2) == SendResult::ok);
    CHECK(sent == run.size());
    CHECK_FALSE(sender.segments());
    const Receipt receipt = receive_all(receiver, run.size());
    CHECK(receipt.bytes == run);
    CHECK(receipt.datagram_bytes == sizes(run.size(), 300));
    CHECK(receipt.last.ecn == 2);
  });
}

TEST_CASE("a datagram larger than the interface's MTU fails, and UDP_SEGMENT stays on") {
  const PrivateNetwork network;
  add_veth("1400");
  UdpSocket sender = UdpSocket::open({});
  const auto [at, fits] = GENERATE(table<const char*, std::size_t>({
      {"192.0.2.9", 1400 - 20 - 8},
      {"2001:db8::9", 1400 - 40 - 8},
  }));
  const Endpoint peer{{ip(at), 9}, {}};
  const auto run = pattern(20 * (fits + 1));
  std::size_t sent = 1;
  CHECK(sender.send(run, fits + 1, peer, sent) == SendResult::failed);
  CHECK(sent == 0);
  CHECK(sender.send_one(ConstBytes(run).first(fits + 1), peer) == SendResult::failed);
  CHECK(sender.send(run, fits, peer, sent) == SendResult::ok);
  CHECK(sent == run.size());
  CHECK(sender.segments());
}

TEST_CASE("a send without a route fails, whatever the source") {
  const PrivateNetwork network;
  const auto [at, nowhere] = GENERATE(table<const char*, const char*>({
      {"127.0.0.1", "192.0.2.77"},
      {"::1", "2001:db8::77"},
  }));
  UdpSocket sender = UdpSocket::open({});
  const UdpSocket receiver = UdpSocket::open({});
  const auto run = pattern(300UL * 100);
  for (const auto& local : {std::optional<IpAddress>{}, {ip(at)}, {ip(nowhere)}}) {
    const Endpoint peer{{ip(nowhere), 9}, local};
    std::size_t sent = 1;
    CHECK(sender.send(run, 100, peer, sent) == SendResult::failed);
    CHECK(sent == 0);
    CHECK(sender.send_one(pattern(9), peer) == SendResult::failed);
  }
  std::size_t sent = 0;
  CHECK(sender.send(run, 100, to(at, receiver), sent) == SendResult::ok);
  CHECK(sender.segments());
  CHECK(receive_all(receiver, run.size()).bytes == run);
}

TEST_CASE(
    "a removed source address is replaced by the kernel's choice, and used again when it returns") {
  const PrivateNetwork network;
  const auto [at, local] = GENERATE(table<const char*, const char*>({
      {"127.0.0.1", "192.0.2.77"},
      {"::1", "2001:db8::77"},
  }));
  UdpSocket sender = UdpSocket::open({});
  const UdpSocket receiver = UdpSocket::open({});
  const auto run = pattern(300UL * 100);
  Endpoint peer = to(at, receiver);
  peer.local = ip(local);
  for (const bool ours : {false, true, false}) {
    const std::string prefix = std::string(local) + (ip(local).is_v4() ? "/32" : "/128");
    if (ours) add_address(prefix, "lo");
    const SocketAddress source{ip(ours ? local : at), sender.local().port};
    std::size_t sent = 0;
    CHECK(sender.send(run, 100, peer, sent) == SendResult::ok);
    CHECK(sent == run.size());
    CHECK(sender.segments());
    const Receipt receipt = receive_all(receiver, run.size());
    CHECK(receipt.bytes == run);
    CHECK(receipt.last.from.remote == source);
    CHECK(sender.send_one(pattern(9), peer) == SendResult::ok);
    CHECK(receive_all(receiver, 9).last.from.remote == source);
    if (ours) testing::run("ip address delete " + prefix + " dev lo");
  }
}

TEST_CASE("with routed_source the routing table chooses the source address") {
  const PrivateNetwork network;
  add_address("10.9.0.1/32", "lo");
  UdpSocket sender = UdpSocket::open({.address = {}, .port = 0, .mark = 0, .routed_source = true});
  const UdpSocket receiver = UdpSocket::open({});
  Endpoint peer = to("127.0.0.1", receiver);
  peer.local = ip("10.9.0.1");
  const SocketAddress source{ip("127.0.0.1"), sender.local().port};
  std::size_t sent = 0;
  CHECK(sender.send(pattern(30), 10, peer, sent) == SendResult::ok);
  CHECK(receive_all(receiver, 30).last.from.remote == source);
  CHECK(sender.send_one(pattern(9), peer) == SendResult::ok);
  CHECK(receive_all(receiver, 9).last.from.remote == source);
}

TEST_CASE("a full send buffer neither blocks nor loses datagrams") {
  const PrivateNetwork network;
  add_veth("1500");
  UdpSocket sender = UdpSocket::open({});
  // Datagrams wait for a neighbour that does not answer until its resolution fails: 3 x 300 ms.
  run("echo 300 > /proc/sys/net/ipv4/neigh/va/retrans_time_ms");
  run("echo 300 > /proc/sys/net/ipv6/neigh/va/retrans_time_ms");
  const int small = 16 << 10;
  REQUIRE(setsockopt(sender.fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small) == 0);
  const auto run = pattern(1000UL * 1000);
  const auto at = GENERATE(as<const char*>{}, "192.0.2.9", "2001:db8::9");
  std::size_t sent = 0;
  CHECK(sender.send(run, 1000, {{ip(at), 9}, {}}, sent) == SendResult::would_block);
  CHECK(sent > 0);
  CHECK(sent < run.size());
  CHECK(sent % 1000 == 0);
  CHECK(sender.send_one(pattern(1000), {{ip(at), 9}, {}}) == SendResult::would_block);
  CHECK(wait_for(sender.fd(), POLLOUT));
  CHECK(sender.send_one(pattern(1000), {{ip(at), 9}, {}}) == SendResult::ok);
}

TEST_CASE("ENOBUFS is a failure, because poll() would not wait") {
  on_a_thread([] {
    const PrivateNetwork network;
    const UdpSocket socket = open_at("127.0.0.1");
    refuse(SYS_sendmsg, ENOBUFS);
    CHECK(socket.send_one(pattern(10), to("127.0.0.1", socket)) == SendResult::failed);
  });
}

TEST_CASE("without IPv6 in the kernel a socket for any address is an IPv4 one") {
  on_a_thread([] {
    const PrivateNetwork network;
    refuse(SYS_socket, EAFNOSUPPORT, AF_INET6);
    UdpSocket socket = UdpSocket::open({});
    CHECK(socket.local().address == ip("0.0.0.0"));
    std::size_t sent = 0;
    REQUIRE(socket.send(pattern(300), 100, to("127.0.0.1", socket), sent) == SendResult::ok);
    CHECK(receive_all(socket, 300).last.from.local == ip("127.0.0.1"));
    CHECK_THROWS_AS(open_at("::1"), SystemError);
  });
}

TEST_CASE("the error for a mark that is not permitted names its option") {
  on_a_thread([] {
    const PrivateNetwork network;
    refuse(SYS_setsockopt, EPERM);
    CHECK_THROWS_AS(UdpSocket::open({{}, 0, 7}), SystemError);
  });
}
