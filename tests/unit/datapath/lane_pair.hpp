// Two lanes with matching keys, and packets to send between them.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "routevpn/datapath/lane.hpp"

namespace routevpn::test {

using Datagram = std::vector<std::uint8_t>;
using Packet = std::vector<std::uint8_t>;

inline const Time epoch{std::chrono::hours(1)};
inline const outside::Endpoint west{{*IpAddress::parse("192.0.2.1"), 1000}, std::nullopt};
inline const outside::Endpoint east{{*IpAddress::parse("192.0.2.2"), 2000}, std::nullopt};

inline Packet udp_packet(std::uint8_t serial, std::size_t length = 100) {
  Packet packet(length, serial);
  const std::uint8_t header[28] = {0x45,
                                   0,
                                   static_cast<std::uint8_t>(length >> 8),
                                   static_cast<std::uint8_t>(length),
                                   0,
                                   serial,
                                   0,
                                   0,
                                   64,
                                   17,
                                   0,
                                   0,
                                   10,
                                   0,
                                   0,
                                   1,
                                   10,
                                   0,
                                   0,
                                   2,
                                   0,
                                   7,
                                   0,
                                   7,
                                   0,
                                   static_cast<std::uint8_t>(length - 20),
                                   0,
                                   0};
  std::memcpy(packet.data(), header, sizeof header);
  return packet;
}

struct End {
  explicit End(outside::Endpoint peer_at, datapath::LanePolicy policy = {})
      : peer(peer_at), lane(mailbox, counters, true, std::move(policy)) {}

  void install(datapath::AssociationId id, dtls::Established keys, bool send_now,
               datapath::RecordLimits limits = {}) {
    command(
        datapath::InstallAssociation{std::make_unique<datapath::Association>(
                                         id, keys, record::CryptoBackend::openssl, peer, limits),
                                     send_now});
  }
  void command(datapath::LaneCommand command) {
    *mailbox.commands.reserve() = std::move(command);
    mailbox.commands.publish();
    lane.execute_commands(now);
  }
  std::vector<Datagram> control() {
    auto datagrams = unpack(lane.control_runs());
    lane.control_sent();
    return datagrams;
  }
  std::vector<Datagram> send(Packet packet) {
    lane.from_inside({}, packet, 1400, now);
    auto datagrams = unpack(lane.seal(now));
    lane.sent();
    return datagrams;
  }
  std::vector<Packet> receive(Datagram datagram, const outside::Endpoint& from, Time at = epoch,
                              std::uint8_t ecn = 0,
                              datapath::UdpFlow flow = datapath::UdpFlow::bulk) {
    std::vector<Packet> packets;
    const outside::Received received{datagram, datagram.size(), from, ecn};
    lane.from_outside(received, at, flow);
    for (const auto& super : lane.join()) {
      Packet packet;
      for (const auto& part : super.iovecs.subspan(1)) {
        const auto* const data = static_cast<const std::uint8_t*>(part.iov_base);
        packet.insert(packet.end(), data, data + part.iov_len);
      }
      packets.push_back(std::move(packet));
    }
    return packets;
  }
  template <typename Event>
  std::vector<Event> events() {
    std::vector<Event> found;
    while (datapath::LaneEvent* const event = mailbox.events.front()) {
      if (const auto* const wanted = std::get_if<Event>(&event->what)) found.push_back(*wanted);
      mailbox.events.release();
    }
    return found;
  }
  std::uint64_t drops(Drop reason) const { return counters.drops.get(reason); }

  static std::vector<Datagram> unpack(std::span<const datapath::DatagramRun> runs) {
    std::vector<Datagram> datagrams;
    for (const auto& run : runs) {
      for (std::size_t at = 0; at < run.bytes; at += run.segment_bytes) {
        datagrams.emplace_back(run.data + at,
                               run.data + std::min(at + run.segment_bytes, run.bytes));
      }
    }
    return datagrams;
  }

  Time now = epoch;  // of commands and of what is sent
  outside::Endpoint peer;
  datapath::Mailbox mailbox;
  datapath::LaneCounters counters;
  datapath::Lane lane;
};

inline std::uint64_t all_drops(const End& end) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < drop_count; ++i) sum += end.drops(static_cast<Drop>(i));
  return sum;
}

// The result of one handshake at both ends.
struct Keys {
  dtls::Established initiator;
  dtls::Established acceptor;
};
inline Keys keys(std::uint8_t seed, record::CipherSuite suite = record::CipherSuite::aes_128_gcm) {
  Keys both;
  both.initiator.suite = both.acceptor.suite = suite;
  both.initiator.control_messages = both.acceptor.control_messages = true;
  both.acceptor.role = dtls::Role::acceptor;
  both.initiator.send.key.fill(seed);
  both.initiator.receive.key.fill(static_cast<std::uint8_t>(seed + 1));
  both.initiator.send.iv.fill(static_cast<std::uint8_t>(seed + 2));
  both.initiator.receive.iv.fill(static_cast<std::uint8_t>(seed + 3));
  both.acceptor.send = both.initiator.receive;
  both.acceptor.receive = both.initiator.send;
  both.initiator.first_send_sequence = both.acceptor.first_send_sequence = 1025;
  return both;
}

// Two ends with one association that is confirmed at both.
struct LanePair {
  explicit LanePair(record::CipherSuite suite = record::CipherSuite::aes_128_gcm) {
    const Keys both = keys(1, suite);
    a.install(1, both.initiator, true);
    b.install(1, both.acceptor, false);
    a.command(datapath::SendControl{});
    for (auto& datagram : a.control()) b.receive(datagram, west);
    for (auto& datagram : b.control()) a.receive(datagram, east);
    a.events<std::monostate>();
    b.events<std::monostate>();
  }
  End a{east};
  End b{west};
};

}  // namespace routevpn::test
