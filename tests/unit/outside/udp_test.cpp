#include <net/if.h>
#include <sys/socket.h>

#include "private_network.hpp"

using namespace routevpn;
using namespace routevpn::outside;
using namespace routevpn::outside::testing;

namespace {

struct Pair {
  const char* from;
  const char* to;
};

}  // namespace

TEST_CASE("runs arrive as the datagrams that were sent, with addresses and ECN bits") {
  const PrivateNetwork network;
  const auto [from, at] = GENERATE(Pair{"127.0.0.1", "127.0.0.1"}, Pair{"::1", "::1"});
  const bool dual_stack = GENERATE(false, true);
  UdpSocket sender = open_at(from);
  const UdpSocket receiver = dual_stack ? UdpSocket::open({}) : open_at(at);

  const auto [bytes, segment] = GENERATE(table<std::size_t, std::size_t>({
      {1, 1400},              // a single datagram, shorter than the run's size
      {1400, 1400},           // exactly one
      {10 * 1400, 1400},      // all equal
      {10 * 1400 + 7, 1400},  // a short last one
      {1000 * 33 + 1, 33},    // more segments than one call takes
      {100 * 1400, 1400},     // more bytes than one call takes
      {2 * 40'000, 40'000},   // so large that each is sent alone
  }));
  const auto run = pattern(bytes);
  std::size_t sent = 0;
  const std::uint8_t traffic_class = 0x2e << 2 | 1;  // EF, ECT(1)
  REQUIRE(sender.send(run, segment, to(at, receiver), sent, traffic_class) == SendResult::ok);
  CHECK(sent == bytes);
  CHECK(sender.segments());

  const Receipt receipt = receive_all(receiver, bytes);
  CHECK(receipt.bytes == run);
  CHECK(receipt.datagram_bytes == sizes(bytes, segment));
  CHECK(receipt.last.from == Endpoint{sender.local(), ip(at)});
  CHECK(receipt.last.ecn == 1);
}

TEST_CASE("one receive returns what one call sent") {
  const PrivateNetwork network;
  UdpSocket sender = open_at("::1");
  const UdpSocket receiver = open_at("::1");
  const auto run = pattern(40UL * 1400);
  std::size_t sent = 0;
  REQUIRE(sender.send(run, 1400, to("::1", receiver), sent) == SendResult::ok);
  const Receipt receipt = receive_all(receiver, run.size());
  CHECK(receipt.bytes == run);
  CHECK(receipt.largest_receive_datagrams == 40);
  CHECK(receipt.last.ecn == 0);
}

TEST_CASE("a buffer that is too small loses only the end of a datagram") {
  const PrivateNetwork network;
  const UdpSocket socket = open_at("127.0.0.1");
  REQUIRE(socket.send_one(pattern(100), to("127.0.0.1", socket)) == SendResult::ok);
  REQUIRE(socket.send_one(pattern(10), to("127.0.0.1", socket)) == SendResult::ok);
  std::array<std::uint8_t, 60> buffer{};
  Received received;
  REQUIRE(socket.receive(buffer, received) == RecvResult::ok);
  CHECK(received.data.size() == 60);
  REQUIRE(socket.receive(buffer, received) == RecvResult::ok);
  CHECK(received.data.size() == 10);
}

TEST_CASE("an empty datagram is received, with a segment size of at least 1") {
  const PrivateNetwork network;
  const UdpSocket socket = open_at("127.0.0.1");
  REQUIRE(socket.send_one({}, to("127.0.0.1", socket)) == SendResult::ok);
  std::array<std::uint8_t, 60> buffer{};
  Received received;
  REQUIRE(socket.receive(buffer, received) == RecvResult::ok);
  CHECK(received.data.empty());
  CHECK(received.segment_bytes == 1);
  CHECK(socket.receive(buffer, received) == RecvResult::would_block);
}

TEST_CASE("replies have the source address that the peer used") {
  const PrivateNetwork network;
  for (const char* each : {"10.9.0.1/32", "10.9.0.2/32", "fd00:9::1/128", "fd00:9::2/128"}) {
    add_address(each, "lo");
  }
  const auto [client_at, server_at] =
      GENERATE(Pair{"10.9.0.1", "10.9.0.2"}, Pair{"10.9.0.2", "10.9.0.1"},
               Pair{"fd00:9::1", "fd00:9::2"}, Pair{"fd00:9::2", "fd00:9::1"});
  UdpSocket server = UdpSocket::open({});
  const UdpSocket client = open_at(client_at);
  REQUIRE(client.send_one(pattern(9), to(server_at, server)) == SendResult::ok);
  const Endpoint asker = receive_all(server, 9).last.from;
  CHECK(asker == Endpoint{client.local(), ip(server_at)});

  const SocketAddress expected{ip(server_at), server.local().port};
  SECTION("with send") {
    std::size_t sent = 0;
    REQUIRE(server.send(pattern(1500), 500, asker, sent) == SendResult::ok);
    CHECK(receive_all(client, 1500).last.from.remote == expected);
  }
  SECTION("with send_one") {
    REQUIRE(server.send_one(pattern(5), asker) == SendResult::ok);
    CHECK(receive_all(client, 5).last.from.remote == expected);
  }
}

TEST_CASE("a datagram to a multicast address has no local address") {
  const PrivateNetwork network;
  run("ip link add va type veth peer name vb && ip link set va up && ip link set vb up");
  add_address("fd00:9::1/64", "va");
  const UdpSocket socket = UdpSocket::open({});
  const UdpSocket sender = open_at("fd00:9::1");
  const SocketAddress all_nodes{ip("ff02::1"), socket.local().port, if_nametoindex("va")};
  REQUIRE(sender.send_one(pattern(4), {all_nodes, {}}) == SendResult::ok);
  const Receipt receipt = receive_all(socket, 4);
  CHECK(receipt.bytes.size() == 4);
  CHECK_FALSE(receipt.last.from.local.has_value());
}

TEST_CASE("each of several endpoints gets its own datagrams") {
  const PrivateNetwork network;
  UdpSocket sender = UdpSocket::open({});
  const UdpSocket v4 = open_at("127.0.0.1");
  const UdpSocket v6 = open_at("::1");
  for (std::uint8_t turn = 0; turn < 3; ++turn) {
    std::size_t sent = 0;
    REQUIRE(sender.send(pattern(3000), 1000, to("127.0.0.1", v4), sent, turn) == SendResult::ok);
    REQUIRE(sender.send(pattern(4000), 1000, to("::1", v6), sent, turn) == SendResult::ok);
    const Receipt by_v4 = receive_all(v4, 3000);
    const Receipt by_v6 = receive_all(v6, 4000);
    CHECK(by_v4.datagram_bytes == sizes(3000, 1000));
    CHECK(by_v6.datagram_bytes == sizes(4000, 1000));
    CHECK(by_v4.last.ecn == turn);
    CHECK(by_v6.last.ecn == turn);
  }
}

TEST_CASE("the largest datagram passes, a larger one fails") {
  const PrivateNetwork network;
  UdpSocket sender = open_at("127.0.0.1");
  const UdpSocket receiver = open_at("127.0.0.1");
  const auto run = pattern(max_datagram_bytes + 1);
  const Endpoint peer = to("127.0.0.1", receiver);
  std::size_t sent = 1;
  CHECK(sender.send(run, max_datagram_bytes + 1, peer, sent) == SendResult::failed);
  CHECK(sent == 0);
  REQUIRE(sender.send(run, max_datagram_bytes, peer, sent) == SendResult::ok);
  CHECK(sent == run.size());
  CHECK(receive_all(receiver, run.size()).datagram_bytes == sizes(run.size(), max_datagram_bytes));
  CHECK(sender.segments());
}

TEST_CASE("a closed port fails neither sends nor receives") {
  const PrivateNetwork network;
  const auto at = GENERATE(as<const char*>{}, "127.0.0.1", "::1");
  UdpSocket socket = UdpSocket::open({});
  const Endpoint closed{{ip(at), 9}, {}};
  std::array<std::uint8_t, 100> buffer{};
  Received received;
  for (int i = 0; i < 20; ++i) {
    std::size_t sent = 0;
    CHECK(socket.send(pattern(30), 10, closed, sent) == SendResult::ok);
    CHECK(socket.receive(buffer, received) == RecvResult::would_block);
  }
  // A connected socket reports it.
  sockaddr_storage name{};
  const socklen_t length = closed.remote.to_kernel(name, AF_INET6);
  REQUIRE(connect(socket.fd(), reinterpret_cast<const sockaddr*>(&name), length) == 0);
  for (int i = 0; i < 20; ++i) {
    CHECK(socket.send_one(pattern(10), closed) == SendResult::ok);
    if (i % 2 == 0) CHECK(socket.receive(buffer, received) == RecvResult::would_block);
  }
}
