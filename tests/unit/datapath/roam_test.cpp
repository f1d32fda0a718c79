// The peer's endpoint moves, and only to an address that has answered a challenge.
#include <array>

#include "routevpn/datapath/lane.hpp"

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

outside::Endpoint at(const char* address, std::uint16_t port = 1000) {
  return {{*IpAddress::parse(address), port}, std::nullopt};
}
const outside::Endpoint foreign = at("198.51.100.9");
const outside::Endpoint new_west = at("192.0.2.77");
const outside::Endpoint new_east = at("192.0.2.88");

struct Departed {
  outside::Endpoint to;
  Datagram datagram;
};

std::vector<Departed> with_targets(std::span<const DatagramRun> runs) {
  std::vector<Departed> all;
  for (const auto& run : runs) {
    for (auto& datagram : End::unpack({&run, 1})) all.push_back({run.to, std::move(datagram)});
  }
  return all;
}
std::vector<Departed> control_of(End& end) {
  auto all = with_targets(end.lane.control_runs());
  end.lane.control_sent();
  return all;
}
std::vector<Departed> packet_of(End& end, std::uint8_t serial, std::size_t bytes = 100) {
  auto packet = udp_packet(serial, bytes);
  end.lane.from_inside({}, packet, 1400, epoch);
  auto all = with_targets(end.lane.seal(epoch));
  end.lane.sent();
  return all;
}
std::size_t bytes_to(const std::vector<Departed>& all, const outside::Endpoint& to) {
  std::size_t bytes = 0;
  for (const auto& each : all) bytes += each.to == to ? each.datagram.size() : 0;
  return bytes;
}
outside::Endpoint endpoint_of(End& end) {
  return packet_of(end, 0).at(0).to;
}

// Two ends, each at an address. Delivers control messages until none is left. Messages to an
// address without an end are lost.
struct Moving : LanePair {
  void exchange(const outside::Endpoint& a_at, const outside::Endpoint& b_at, Time now = epoch) {
    for (bool busy = true; busy;) {
      const auto from_a = control_of(a);
      const auto from_b = control_of(b);
      busy = !from_a.empty() || !from_b.empty();
      for (const auto& each : from_a) {
        if (each.to == b_at) b.receive(each.datagram, a_at, now);
      }
      for (const auto& each : from_b) {
        if (each.to == a_at) a.receive(each.datagram, b_at, now);
      }
    }
  }
};

}  // namespace

TEST_CASE("a copied record that arrives first from a foreign address never moves the endpoint") {
  Moving pair;
  Time now = epoch;
  std::size_t in = 0;
  std::size_t out = 0;
  for (int i = 0; i < 1000; ++i, now += 10ms) {
    const auto record = pair.a.send(udp_packet(1));
    CHECK(pair.b.receive(record[0], foreign, now).size() == 1);
    CHECK(pair.b.receive(record[0], west, now).empty());  // the peer's own copy
    in += record[0].size();
    out += bytes_to(control_of(pair.b), foreign);
    for (int packets = 0; packets < 100; ++packets) {  // a stream to the peer
      const auto sent = packet_of(pair.b, 2, 1000);
      REQUIRE(sent.at(0).to == west);
      out += bytes_to(sent, foreign);
    }
    CHECK(out <= 3 * in);
  }
  CHECK(pair.b.events<PeerRoamed>().empty());
  CHECK(endpoint_of(pair.b) == west);
}

TEST_CASE("a foreign address cannot answer the challenge with a record from elsewhere") {
  Moving pair;
  pair.b.receive(pair.a.send(udp_packet(1))[0], foreign);
  const auto challenge = control_of(pair.b);
  REQUIRE(challenge.size() == 1);
  CHECK(challenge[0].to == foreign);
  // The attacker hands the challenge to the peer, whose reply comes from the peer's own address.
  pair.a.receive(challenge[0].datagram, east);
  pair.b.receive(pair.a.control().at(0), west);
  CHECK(pair.b.events<PeerRoamed>().empty());
  CHECK(endpoint_of(pair.b) == west);
}

TEST_CASE("a peer that has moved is followed after one round trip and misses nothing before") {
  Moving pair;
  pair.b.receive(pair.a.send(udp_packet(1))[0], new_west);
  const auto challenge = control_of(pair.b);
  REQUIRE(challenge.size() == 1);
  CHECK(challenge[0].to == new_west);
  const auto early = packet_of(pair.b, 2);
  REQUIRE(early.size() == 2);
  CHECK(early[0].to == west);
  CHECK(early[1].to == new_west);
  CHECK(pair.a.receive(early[1].datagram, east).size() == 1);
  CHECK(pair.b.events<PeerRoamed>().empty());

  pair.a.receive(challenge[0].datagram, east);
  pair.b.receive(pair.a.control().at(0), new_west);
  const auto moved = pair.b.events<PeerRoamed>();
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].to == new_west);
  CHECK(pair.b.events<EchoReplied>().empty());
  const auto later = packet_of(pair.b, 3);
  REQUIRE(later.size() == 1);
  CHECK(later[0].to == new_west);
  CHECK(all_drops(pair.a) + all_drops(pair.b) == 0);
}

TEST_CASE("a copy to a candidate is not counted as a packet") {
  Moving pair;
  pair.b.receive(pair.a.send(udp_packet(1))[0], new_west);
  auto packet = udp_packet(2);
  pair.b.lane.from_inside({}, packet, 1400, epoch);
  const auto runs = pair.b.lane.seal(epoch);
  REQUIRE(runs.size() == 2);
  for (const auto& run : runs) pair.b.lane.count_sent(run, run.bytes);
  CHECK(pair.b.counters.tx_packets == 1);
}

TEST_CASE("an echo request from a new address is answered there, too") {
  Moving pair;
  pair.a.command(SendControl{{ControlMessage::Kind::echo_request, 5}});
  pair.b.receive(pair.a.control().at(0), new_west);
  std::size_t replies = 0;
  for (const auto& each : control_of(pair.b)) {
    if (each.to != new_west) continue;
    pair.a.receive(each.datagram, east);
    replies += pair.a.events<EchoReplied>().size();
  }
  CHECK(replies == 1);
}

TEST_CASE("both ends move at the same time") {
  Moving pair;
  const auto from_a = pair.a.send(udp_packet(1));
  const auto from_b = pair.b.send(udp_packet(2));
  CHECK(pair.b.receive(from_a[0], new_west).size() == 1);
  CHECK(pair.a.receive(from_b[0], new_east).size() == 1);
  pair.exchange(new_west, new_east);
  CHECK(endpoint_of(pair.a) == new_east);
  CHECK(endpoint_of(pair.b) == new_west);
}

TEST_CASE("a lost challenge is repeated with a later record, at a bounded rate") {
  Moving pair;
  Time now = epoch;
  std::size_t challenges = 0;
  std::vector<Departed> last;
  for (int i = 0; i < 1000; ++i, now += 1ms) {
    pair.b.receive(pair.a.send(udp_packet(1))[0], new_west, now);
    auto sent = control_of(pair.b);
    challenges += sent.size();
    if (!sent.empty()) last = std::move(sent);
  }
  CHECK(challenges == 10);
  pair.a.receive(last.at(0).datagram, east);
  pair.b.receive(pair.a.control().at(0), new_west, now);
  CHECK(endpoint_of(pair.b) == new_west);
}

TEST_CASE("an answer that comes too late proves nothing") {
  Moving pair;
  pair.b.receive(pair.a.send(udp_packet(1))[0], new_west);
  pair.a.receive(control_of(pair.b).at(0).datagram, east);
  pair.b.receive(pair.a.control().at(0), new_west, epoch + Candidates::reply_time);
  CHECK(pair.b.events<PeerRoamed>().empty());
}

TEST_CASE("a peer with any number of addresses causes a bounded number of challenges") {
  Moving pair;
  std::size_t challenges = 0;
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    pair.b.receive(pair.a.send(udp_packet(1))[0], at("198.51.100.9", port));
    challenges += control_of(pair.b).size();
  }
  CHECK(challenges > 0);
  CHECK(challenges <= 16);
  CHECK(endpoint_of(pair.b) == west);
}

TEST_CASE("copies from three foreign addresses do not keep the peer from moving") {
  Moving pair;
  pair.b.receive(pair.a.send(udp_packet(1))[0], new_west);
  const auto challenge = control_of(pair.b);
  for (std::uint16_t port = 1; port <= 3; ++port) {
    pair.b.receive(pair.a.send(udp_packet(1))[0], at("198.51.100.9", port));
  }
  pair.a.receive(challenge.at(0).datagram, east);
  pair.b.receive(pair.a.control().at(0), new_west);
  CHECK(endpoint_of(pair.b) == new_west);
}

TEST_CASE("another local address of the same peer address needs no challenge") {
  Moving pair;
  auto local = west;
  local.local = IpAddress::parse("192.0.2.22");
  pair.b.receive(pair.a.send(udp_packet(1))[0], local);
  CHECK(control_of(pair.b).empty());
  CHECK(endpoint_of(pair.b) == local);
  CHECK(pair.b.events<PeerRoamed>().size() == 1);
}

TEST_CASE("the endpoint moves only within --allow, and other sources are not even authenticated") {
  const Keys both = keys(3);
  const std::array allowed = {*IpPrefix::parse("192.0.2.64/26")};
  End a(east);
  End b(west, {OuterClass(), PrefixSet(allowed)});
  a.install(1, both.initiator, true);
  b.install(1, both.acceptor, false);  // the endpoint of a handshake is proven, and not in --allow
  CHECK(b.receive(a.send(udp_packet(1))[0], west).size() == 1);
  const auto record = a.send(udp_packet(2));
  CHECK(b.receive(record[0], foreign).empty());
  CHECK(b.drops(Drop::record_not_allowed) == 1);
  CHECK(control_of(b).empty());
  CHECK(b.receive(record[0], new_west).size() == 1);
  const auto challenge = control_of(b);
  REQUIRE(challenge.size() == 1);
  a.receive(challenge[0].datagram, east);
  b.receive(a.control().at(0), new_west);
  CHECK(endpoint_of(b) == new_west);
  CHECK(all_drops(b) == 1);
}

TEST_CASE("a plain peer moves when its old endpoint is silent for a second") {
  Keys both = keys(3);
  both.initiator.control_messages = both.acceptor.control_messages = false;
  End a(east);
  End b(west);
  a.install(1, both.initiator, true);
  b.install(1, both.acceptor, false);
  Time now = epoch;
  const auto arrives = [&](const outside::Endpoint& from) {
    b.receive(a.send(udp_packet(1))[0], from, now);
    CHECK(control_of(b).empty());
  };
  arrives(west);
  now += 1h;
  arrives(foreign);  // one copied record, however long the silence before it
  CHECK(endpoint_of(b) == west);
  now += 500ms;
  arrives(west);
  now += 900ms;
  arrives(foreign);
  CHECK(endpoint_of(b) == west);
  // It moves.
  arrives(new_west);
  CHECK(packet_of(b, 1).size() == 2);
  now += 999ms;
  arrives(new_west);
  CHECK(endpoint_of(b) == west);
  now += 1ms;
  arrives(new_west);
  CHECK(endpoint_of(b) == new_west);
  CHECK(b.events<PeerRoamed>().size() == 1);
}
