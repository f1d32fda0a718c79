// Floods of forged and copied records, and of handshakes, from strangers.
#include <random>

#include "routevpn/datapath/lane.hpp"
#include "routevpn/dtls/envelope.hpp"

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

const Datagram client_hello = {22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1};

outside::Endpoint stranger(std::uint32_t number) {
  std::array<std::uint8_t, 4> address{};
  store_be32(address.data(), 0xc6330000 + number);
  return {{IpAddress::v4(address), 4000}, std::nullopt};
}

Datagram forged(Datagram record) {
  record.back() ^= 1;
  return record;
}

// A plain peer's explicit nonces tell nothing about a forgery.
struct PlainPair {
  PlainPair() {
    Keys both = keys(3);
    both.initiator.control_messages = both.acceptor.control_messages = false;
    a.install(1, both.initiator, true);
    auto association = std::make_unique<Association>(
        1, both.acceptor, record::CryptoBackend::openssl, west, RecordLimits{});
    installed = association.get();
    b.command(InstallAssociation{std::move(association), false});
  }
  Association* installed;
  End a{east};
  End b{west};
};

}  // namespace

TEST_CASE("the rest of a datagram is dropped with its first forged record") {
  PlainPair pair;
  Datagram many;
  for (int i = 0; i < 38; ++i) {
    const auto one = forged(pair.a.send(udp_packet(1, 30)).at(0));
    many.insert(many.end(), one.begin(), one.end());
  }
  CHECK(pair.b.receive(many, west).empty());
  CHECK(pair.b.drops(Drop::record_forged) == 1);
  CHECK(pair.installed->forged == 1);
  const auto good = pair.a.send(udp_packet(1));
  auto both = forged(pair.a.send(udp_packet(1)).at(0));
  both.insert(both.end(), good[0].begin(), good[0].end());
  CHECK(pair.b.receive(both, west).empty());
  CHECK(pair.b.drops(Drop::record_forged) == 2);
  CHECK(pair.b.receive(good[0], west).size() == 1);
}

TEST_CASE("only forgeries in the endpoint's name count towards the association's limit") {
  PlainPair pair;
  for (std::uint32_t i = 0; i < 10; ++i) {
    pair.b.receive(forged(pair.a.send(udp_packet(1)).at(0)), stranger(i));
  }
  CHECK(pair.installed->forged == 0);
  pair.b.receive(forged(pair.a.send(udp_packet(1)).at(0)), west);
  CHECK(pair.installed->forged == 1);
  CHECK(pair.b.drops(Drop::record_forged) == 11);
}

TEST_CASE("a stranger's forgeries are authenticated at a bounded rate") {
  PlainPair pair;
  const auto record = forged(pair.a.send(udp_packet(1)).at(0));
  Time now = epoch;
  for (int i = 0; i < 10000; ++i, now += 100us) pair.b.receive(record, stranger(1), now);
  CHECK(pair.b.drops(Drop::record_forged) >= 100);
  CHECK(pair.b.drops(Drop::record_forged) <= 132);
  CHECK(all_drops(pair.b) == 10000);
  // Nothing is held against the endpoint.
  CHECK(pair.b.receive(pair.a.send(udp_packet(1))[0], west, now).size() == 1);
}

TEST_CASE(
    "a peer that has moved is heard at once, and within a second of a flood from everywhere") {
  PlainPair pair;
  const outside::Endpoint moved = stranger(0xffff);
  for (int i = 0; i < 1000; ++i) {
    CHECK(pair.b.receive(pair.a.send(udp_packet(1))[0], moved).size() == 1);
  }
  const auto record = forged(pair.a.send(udp_packet(1)).at(0));
  std::mt19937 random(7);
  Time now = epoch;
  std::size_t heard = 0;
  for (int i = 0; i < 50000; ++i, now += 20us) {  // 50,000 forgeries and 100 records per second
    pair.b.receive(record, stranger(random() & 0x7fff), now);
    if (i % 500 == 0) heard += pair.b.receive(pair.a.send(udp_packet(1))[0], moved, now).size();
  }
  CHECK(heard > 0);
  CHECK(pair.b.drops(Drop::record_forged) <= 64 * 132);
}

TEST_CASE("forged records of a routevpn peer cost no work of the cipher") {
  const Keys both = keys(3);
  End a(east);
  End b(west);
  a.install(1, both.initiator, true);
  auto association = std::make_unique<Association>(1, both.acceptor, record::CryptoBackend::openssl,
                                                   west, RecordLimits{});
  const Association& installed = *association;
  b.command(InstallAssociation{std::move(association), false});
  REQUIRE(b.receive(a.send(udp_packet(1))[0], west).size() == 1);
  auto blind = a.send(udp_packet(1)).at(0);
  blind[13] ^= 1;  // the explicit nonce
  b.receive(blind, west);
  CHECK(b.drops(Drop::record_forged) == 1);
  CHECK(installed.forged == 0);
  b.receive(forged(a.send(udp_packet(1)).at(0)), west);
  CHECK(b.drops(Drop::record_forged) == 2);
  CHECK(installed.forged == 1);
}

TEST_CASE("a flood of strangers' handshakes leaves slots to the peer") {
  LanePair pair;
  for (std::uint32_t i = 0; i < 1000; ++i) pair.b.receive(client_hello, stranger(i));
  CHECK(pair.b.drops(Drop::handshake_queue_full) == 1000 - 48);
  auto rebound = west;
  rebound.remote.port = 1;
  for (std::size_t i = 0; i < HandshakeQueue::for_peer; ++i) pair.b.receive(client_hello, rebound);
  CHECK(pair.b.drops(Drop::handshake_queue_full) == 1000 - 48);
  pair.b.receive(client_hello, rebound);
  CHECK(pair.b.drops(Drop::handshake_queue_full) == 1001 - 48);
  // Each slot that is read is free again for its share.
  std::size_t read = 0;
  for (; pair.b.mailbox.handshakes.front() != nullptr; ++read) pair.b.mailbox.handshakes.release();
  CHECK(read == 64);
  for (std::uint32_t i = 0; i < 1000; ++i) pair.b.receive(client_hello, stranger(i));
  CHECK(pair.b.drops(Drop::handshake_queue_full) == 2 * (1000 - 48) + 1);
}

TEST_CASE("handshakes from outside --allow do not reach the control thread") {
  const std::array allowed = {*IpPrefix::parse("198.51.0.1/32")};
  End b(west, {OuterClass(), PrefixSet(allowed), {}});
  const Datagram envelope(100, dtls::envelope_byte);
  for (const Datagram& datagram : {client_hello, envelope}) {
    b.receive(datagram, stranger(2));
    CHECK(b.mailbox.handshakes.empty());
    b.receive(datagram, stranger(1));
    CHECK_FALSE(b.mailbox.handshakes.empty());
    b.mailbox.handshakes.release();
  }
  CHECK(b.drops(Drop::handshake_not_allowed) == 2);
  CHECK(all_drops(b) == 2);
}

TEST_CASE("one source fills no more than its share of the handshake queue") {
  LanePair pair;
  for (int i = 0; i < 100; ++i) pair.b.receive(client_hello, stranger(1));
  CHECK(pair.b.drops(Drop::handshake_queue_full) == 100 - HandshakeQueue::per_source);
}

TEST_CASE("the reserved slots serve the expected peer and the one whose association ended") {
  LanePair pair;
  pair.b.command(RetireAssociation{1});
  pair.b.command(ExpectPeer{stranger(5000).remote.address});
  for (std::uint32_t i = 0; i < 1000; ++i) pair.b.receive(client_hello, stranger(i));
  const auto before = pair.b.drops(Drop::handshake_queue_full);
  for (std::size_t i = 0; i < HandshakeQueue::for_peer / 2; ++i) {
    pair.b.receive(client_hello, west);
    pair.b.receive(client_hello, stranger(5000));
  }
  CHECK(pair.b.drops(Drop::handshake_queue_full) == before);
}

TEST_CASE("a stranger's records do not keep the peer's from causing a restart hint") {
  LanePair other;
  End b(west);
  const auto record = other.a.send(udp_packet(1)).at(0);
  std::size_t peer_events = 0;
  for (int i = 0; i < 50; ++i) {
    const Time now = epoch + i * 20ms;
    for (int n = 0; n < 10; ++n) b.receive(record, stranger(1), now);
    b.receive(record, stranger(2 + static_cast<std::uint32_t>(i)), now);
    for (const auto& event : b.events<RecordWithoutKeys>()) {
      peer_events += event.from == stranger(1) ? 0 : 1;
    }
  }
  CHECK(peer_events >= 40);  // some share the slot of stranger 1
  CHECK(peer_events <= 50);
}

TEST_CASE("of a million replayed records none is delivered, and none moves the endpoint") {
  LanePair pair;
  constexpr std::size_t records = 1000;
  constexpr std::size_t of_a_datagram = 10;
  Datagram all;
  for (std::size_t i = 0; i < records; ++i) {
    const auto record = pair.a.send(udp_packet(1)).at(0);
    REQUIRE(pair.b.receive(record, west).size() == 1);
    all.insert(all.end(), record.begin(), record.end());
  }
  const std::size_t bytes = of_a_datagram * (all.size() / records);
  std::size_t delivered = 0;
  for (int turn = 0; turn < 1000; ++turn) {
    for (std::size_t at = 0; at < all.size(); at += bytes) {
      const Datagram copies(all.data() + at, all.data() + at + bytes);
      delivered += pair.b.receive(copies, turn % 2 == 0 ? west : stranger(1)).size();
    }
  }
  CHECK(delivered == 0);
  CHECK(pair.b.drops(Drop::record_replayed) == 1'000'000);
  CHECK(pair.b.control().empty());  // no challenge to the foreign address
  CHECK(pair.b.events<PeerRoamed>().empty());
}
