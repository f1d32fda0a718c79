// Two lanes whose association knows the sparse flow, and what each sends to which port of the
// other. `a` is the initiator, with a port per flow. `b` is the acceptor, with one port.
#pragma once

#include <vector>

#include "lane_pair.hpp"

namespace routevpn::test {

inline const outside::Endpoint second_port{{*IpAddress::parse("192.0.2.1"), 1001}, std::nullopt};

inline const outside::Endpoint outsider{{*IpAddress::parse("198.51.100.9"), 1000}, std::nullopt};

inline Keys sparse_keys(std::uint8_t seed) {
  Keys both = keys(seed);
  both.initiator.sparse_flow = both.acceptor.sparse_flow = true;
  return both;
}

struct Departure {
  outside::Endpoint to;
  datapath::UdpFlow flow;
  bool counted;
  Datagram datagram;
};

inline std::vector<Departure> departures(std::span<const datapath::DatagramRun> runs) {
  std::vector<Departure> all;
  for (const auto& run : runs) {
    for (auto& datagram : End::unpack({&run, 1})) {
      all.push_back({run.to, run.flow, run.counted, std::move(datagram)});
    }
  }
  return all;
}

struct SparsePair {
  static constexpr std::size_t limit = 1400;  // of a payload

  explicit SparsePair(const Keys& both = sparse_keys(1)) {
    a.install(1, both.initiator, true);
    b.install(1, both.acceptor, false);
    for (End* const end : {&a, &b}) end->command(datapath::LimitPayload{limit});
    a.command(datapath::SendControl{});
    exchange();
    forget_events();
  }

  // The initiator's addresses, as the acceptor sees them.
  outside::Endpoint bulk_at = west;
  outside::Endpoint sparse_at = second_port;
  bool sparse_is_cut = false;
  // A relay that knows one port of the initiator: the one that it has heard last.
  bool is_relayed = false;
  bool relay_is_fixed = false;  // it keeps the port below
  datapath::UdpFlow relayed = datapath::UdpFlow::bulk;

  void at(Time now) { a.now = b.now = now; }
  [[nodiscard]] Time now() const { return a.now; }

  static std::vector<Departure> control(End& end) {
    auto all = departures(end.lane.control_runs());
    end.lane.control_sent();
    return all;
  }
  // What leaves when `end` seals this packet.
  std::vector<Departure> packet(End& end, Packet packet, std::size_t mtu = 1400) const {
    end.lane.from_inside({}, packet, mtu, end.now);
    auto all = departures(end.lane.seal(end.now));
    end.lane.sent();
    return all;
  }
  std::vector<Packet> to_b(const Departure& sent) {
    const bool sparse = sent.flow == datapath::UdpFlow::sparse;
    if (sparse && sparse_is_cut) return {};
    if (!relay_is_fixed) relayed = sent.flow;
    return b.receive(sent.datagram, sparse ? sparse_at : bulk_at, b.now, 0, b_socket_of(sparse));
  }
  std::vector<Packet> to_a(const Departure& sent) {
    const bool to_sparse = sent.to.remote == sparse_at.remote;
    if (!to_sparse && sent.to.remote != bulk_at.remote) return {};  // no port of the initiator
    const bool sparse = is_relayed ? relayed == datapath::UdpFlow::sparse : to_sparse;
    if (sparse && sparse_is_cut) return {};
    return a.receive(sent.datagram, east, a.now, 0,
                     sparse ? datapath::UdpFlow::sparse : datapath::UdpFlow::bulk);
  }
  // Delivers control messages until none is left. Returns their number.
  std::size_t exchange() {
    std::size_t sent = 0;
    for (bool busy = true; busy;) {
      const auto from_a = control(a);
      const auto from_b = control(b);
      for (const auto& each : from_a) to_b(each);
      for (const auto& each : from_b) to_a(each);
      busy = !from_a.empty() || !from_b.empty();
      sent += from_a.size() + from_b.size();
    }
    return sent;
  }
  void find_sparse() {
    a.command(datapath::ProbeSparseFlow{});
    exchange();
  }
  // The bulk way has drained at `end` until now.
  void drain(End& end) {
    end.command(datapath::SendControl{{datapath::ControlMessage::Kind::echo_request, 7}});
    exchange();
  }
  // Which flow a small packet of inner flow `port` takes from `end`. It is not delivered.
  datapath::UdpFlow flow_of(End& end, std::uint16_t port, std::size_t bytes = 100) {
    auto small = udp_packet(1, bytes);
    store_be16(&small[20], port);
    return packet(end, small).at(0).flow;
  }
  void forget_events() {
    a.events<std::monostate>();
    b.events<std::monostate>();
  }

  // The acceptor's kernel gives datagrams of the second port to either socket.
  bool b_has_connected = true;
  [[nodiscard]] datapath::UdpFlow b_socket_of(bool sparse) const {
    return sparse && b_has_connected ? datapath::UdpFlow::sparse : datapath::UdpFlow::bulk;
  }

  End a{east};
  End b{west};
};

// A pair whose flow is found at both ends.
struct FoundPair : SparsePair {
  FoundPair() {
    find_sparse();
    forget_events();
  }
};

// A fragment always goes the bulk way.
inline outside::Endpoint endpoint_of_b(SparsePair& pair) {
  auto fragment = udp_packet(1);
  fragment[6] = 0x20;
  return pair.packet(pair.b, fragment).at(0).to;
}

// Makes inner flow `port` of `end` bulk.
inline void make_bulk(SparsePair& pair, End& end, std::uint16_t port) {
  for (int i = 0; i < 20; ++i) pair.flow_of(end, port, 1300);
}

struct Reports {
  std::vector<datapath::PeerRoamed> roams;
  std::vector<datapath::SparseFlowChanged> changes;
};
inline Reports reports_of(End& end) {
  Reports all;
  while (const datapath::LaneEvent* const event = end.mailbox.events.front()) {
    if (const auto* const roam = std::get_if<datapath::PeerRoamed>(&event->what)) {
      all.roams.push_back(*roam);
    }
    if (const auto* const change = std::get_if<datapath::SparseFlowChanged>(&event->what)) {
      all.changes.push_back(*change);
    }
    end.mailbox.events.release();
  }
  return all;
}

}  // namespace routevpn::test
