#include "routevpn/datapath/lane.hpp"

#include "routevpn/dtls/envelope.hpp"

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;

TEST_CASE("a packet is sealed by one lane and opened unchanged by the other, in both directions") {
  const auto suite = GENERATE(record::CipherSuite::aes_128_gcm, record::CipherSuite::aes_256_gcm,
                              record::CipherSuite::chacha20_poly1305);
  LanePair pair(suite);
  const auto packet = udp_packet(7);
  const auto there = pair.a.send(packet);
  REQUIRE(there.size() == 1);
  CHECK(there[0].size() == packet.size() + record::headroom(suite) + record::tailroom);
  CHECK(pair.b.receive(there[0], west) == std::vector<Packet>{packet});
  const auto back = pair.b.send(packet);
  REQUIRE(back.size() == 1);
  CHECK(pair.a.receive(back[0], east) == std::vector<Packet>{packet});
  CHECK(all_drops(pair.a) + all_drops(pair.b) == 0);
}

TEST_CASE("packets of equal size are one run, and a shorter packet ends it") {
  LanePair pair;
  for (const auto length : {200, 200, 200, 100, 200}) {
    auto packet = udp_packet(1, static_cast<std::size_t>(length));
    pair.a.lane.from_inside({}, packet, 1400, epoch);
  }
  const auto runs = pair.a.lane.seal(epoch);
  REQUIRE(runs.size() == 2);
  const std::size_t overhead = runs[0].overhead_bytes;
  CHECK(runs[0].segment_bytes == 200 + overhead);
  CHECK(runs[0].bytes == 3 * (200 + overhead) + 100 + overhead);
  CHECK(runs[1].bytes == 200 + overhead);
  pair.a.lane.count_sent(runs[0], runs[0].bytes);
  CHECK(pair.a.counters.tx_packets == 4);
  CHECK(pair.a.counters.tx_bytes == 700);
}

TEST_CASE("without an association a lane sends nothing and delivers nothing") {
  End end(east);
  CHECK(end.send(udp_packet(1)).empty());
  CHECK(end.drops(Drop::inside_no_association) == 1);
  LanePair other;
  const auto sealed = other.a.send(udp_packet(1));
  CHECK(end.receive(sealed[0], west).empty());
  CHECK(end.drops(Drop::record_no_keys) == 1);
}

TEST_CASE("the acceptor seals nothing before the first authentic record") {
  const Keys both = keys(9);
  End b(west);
  b.install(1, both.acceptor, false);
  CHECK(b.send(udp_packet(1)).empty());
  End a(east);
  a.install(1, both.initiator, true);
  const auto first = a.send(udp_packet(2));
  CHECK(b.receive(first[0], west).size() == 1);
  CHECK(b.events<AssociationConfirmed>().size() == 1);
  CHECK(b.send(udp_packet(3)).size() == 1);
}

TEST_CASE("the control thread can activate an association before the first record") {
  End b(west);
  b.install(1, keys(9).acceptor, false);
  b.command(ActivateAssociation{1});
  CHECK(b.send(udp_packet(1)).size() == 1);
}

TEST_CASE("invalid datagrams are counted under their reason and change nothing") {
  LanePair pair;
  const auto good = pair.a.send(udp_packet(1));
  const auto hit = [&](Datagram datagram, Drop reason) {
    const auto before = pair.b.drops(reason);
    CHECK(pair.b.receive(std::move(datagram), west).empty());
    CAPTURE(name_of(reason));
    CHECK(pair.b.drops(reason) == before + 1);
  };
  auto bad = good[0];
  bad.back() ^= 1;
  hit(bad, Drop::record_forged);
  bad = good[0];
  bad.resize(bad.size() - 1);
  hit(bad, Drop::record_truncated);
  bad = good[0];
  bad[2] = 0xfc;
  hit(bad, Drop::record_version);
  bad = good[0];
  bad[0] = 99;
  hit(bad, Drop::record_type);
  bad = good[0];
  bad[4] = 0;  // epoch 0
  hit(bad, Drop::record_epoch);
  bad = good[0];
  bad[4] = 2;
  hit(bad, Drop::record_epoch);
  hit({1, 2, 3}, Drop::record_truncated);
  hit({}, Drop::record_truncated);
  hit({23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0}, Drop::record_length);

  CHECK(pair.b.receive(good[0], west).size() == 1);
  hit(good[0], Drop::record_replayed);
  CHECK(pair.b.events<AlertReceived>().empty());
}

TEST_CASE("authentic payloads other than IP packets are dropped") {
  LanePair pair;
  Packet no_ip(60, 0x10);
  // The interface cannot deliver such a payload, so seal a control message of an unknown kind.
  pair.a.command(SendControl{{static_cast<ControlMessage::Kind>(0x0e)}});
  pair.b.receive(pair.a.control().at(0), west);
  CHECK(pair.b.drops(Drop::payload_control) == 1);
  pair.a.lane.from_inside({}, no_ip, 1400, epoch);
  CHECK(pair.a.drops(Drop::inside_not_ip) == 1);
}

TEST_CASE("an envelope goes to the mailbox as a whole datagram") {
  LanePair pair;
  Datagram envelope = {dtls::envelope_byte};
  const Datagram hello = {22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1};
  envelope.insert(envelope.end(), hello.begin(), hello.end());
  CHECK(pair.b.receive(envelope, east).empty());
  const HandshakeDatagram* const datagram = pair.b.mailbox.handshakes.front();
  REQUIRE(datagram != nullptr);
  CHECK(Datagram(datagram->bytes.begin(), datagram->bytes.begin() + datagram->length) == envelope);
  CHECK(all_drops(pair.b) == 0);
}

TEST_CASE("handshake records of a datagram go to the mailbox and do not touch the keys") {
  LanePair pair;
  const Datagram hello = {22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 1};
  const Datagram alert = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40};
  Datagram both = hello;
  both.insert(both.end(), alert.begin(), alert.end());
  CHECK(pair.b.receive(both, east).empty());
  const HandshakeDatagram* const datagram = pair.b.mailbox.handshakes.front();
  REQUIRE(datagram != nullptr);
  CHECK(Datagram(datagram->bytes.begin(), datagram->bytes.begin() + datagram->length) == both);
  CHECK(datagram->from == east);
  pair.b.mailbox.handshakes.release();

  for (std::size_t i = 0; i < HandshakeQueue::capacity; ++i) pair.b.receive(hello, west);
  CHECK(pair.b.drops(Drop::handshake_queue_full) == 0);
  pair.b.receive(hello, west);
  CHECK(pair.b.drops(Drop::handshake_queue_full) == 1);
  CHECK(pair.b.receive(pair.a.send(udp_packet(1))[0], west).size() == 1);
}

TEST_CASE("the lane answers echo requests, and announces replies as events") {
  LanePair pair;
  pair.a.command(SendControl{{ControlMessage::Kind::echo_request, 77}});
  for (int i = 1; i <= 2; ++i) {
    if (i == 2) pair.a.command(SendControl{{ControlMessage::Kind::echo_request, 78}});
    pair.b.receive(pair.a.control().at(0), west);
    const auto answer = pair.b.control();
    REQUIRE(answer.size() == 1);
    pair.a.receive(answer[0], east, epoch + std::chrono::milliseconds(3));
    const auto events = pair.a.events<EchoReplied>();
    REQUIRE(events.size() == 1);
    CHECK(events[0].sequence == 76 + static_cast<unsigned>(i));
    CHECK(events[0].round_trip == std::chrono::milliseconds(3));
    CHECK(events[0].received == 1 + static_cast<unsigned>(i));  // LanePair sent one
  }
}

TEST_CASE("neither a forged nor a late record begins a move of the endpoint") {
  LanePair pair;
  const outside::Endpoint elsewhere{{*IpAddress::parse("198.51.100.9"), 9}, std::nullopt};
  const auto older = pair.a.send(udp_packet(1));
  const auto newer = pair.a.send(udp_packet(2));
  auto forged = newer[0];
  forged.back() ^= 1;
  pair.b.receive(forged, elsewhere);
  CHECK(pair.b.events<PeerRoamed>().empty());
  pair.b.receive(newer[0], west);
  pair.b.receive(older[0], elsewhere);
  CHECK(pair.b.events<PeerRoamed>().empty());
  CHECK(pair.b.control().empty());
}

TEST_CASE("every record of a datagram is opened") {
  LanePair pair;
  Datagram datagram;
  for (std::uint8_t i = 1; i <= 3; ++i) {
    const auto one = pair.a.send(udp_packet(i, 60U + i));
    datagram.insert(datagram.end(), one[0].begin(), one[0].end());
  }
  CHECK(pair.b.receive(datagram, west).size() == 3);
}

TEST_CASE("random bytes never disturb a live association") {
  LanePair pair;
  std::uint64_t state = 42;
  const auto random = [&state] {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::uint8_t>(state >> 56);
  };
  for (int i = 0; i < 20000; ++i) {
    Datagram junk(random() % 64U + (i % 2 == 0 ? 13U : 0U));
    for (auto& byte : junk) byte = random();
    if (i % 2 == 0) {  // with a valid header, so that the later checks are reached
      junk[0] = static_cast<std::uint8_t>(20 + random() % 4);
      junk[1] = 0xfe;
      junk[2] = 0xfd;
      junk[3] = 0;
      junk[4] = random() % 2;
      store_be16(&junk[11], static_cast<std::uint16_t>(junk.size() - 13));
    }
    CHECK(pair.b.receive(junk, west).empty());
    while (pair.b.mailbox.handshakes.front() != nullptr) pair.b.mailbox.handshakes.release();
  }
  CHECK(pair.b.events<AlertReceived>().empty());
  CHECK(pair.b.receive(pair.a.send(udp_packet(1))[0], west).size() == 1);
}
