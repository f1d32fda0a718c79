#include "sim/sim_end.hpp"

#include <algorithm>
#include <cstring>

#include "routevpn/base/fields.hpp"
#include "routevpn/base/overloaded.hpp"

#include "sim/world.hpp"

namespace routevpn::test {

namespace {

constexpr std::size_t ip_header = 20;
constexpr std::size_t least_packet = ip_header + 8 + 16;

// The byte at offset `at` of the packet with this serial. The receiver computes it again.
std::uint8_t content(std::uint64_t serial, std::size_t at) {
  return static_cast<std::uint8_t>(serial * 31 + at * 7);
}

std::uint16_t header_checksum(const std::uint8_t* header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < ip_header; i += 2) sum += load_be16(header + i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// An IPv4 packet of protocol 253, for experiments (RFC 3692), with sender, serial and content.
std::vector<std::uint8_t> make_packet(int from, std::uint64_t serial, std::size_t bytes) {
  std::vector<std::uint8_t> packet(std::max(bytes, least_packet));
  packet[0] = 0x45;
  store_be16(&packet[2], static_cast<std::uint16_t>(packet.size()));
  store_be16(&packet[4], static_cast<std::uint16_t>(serial));
  packet[8] = 64;
  packet[9] = 253;
  packet[12] = packet[16] = 10;
  packet[15] = static_cast<std::uint8_t>(from);
  packet[19] = static_cast<std::uint8_t>(1 - from);
  store_be16(&packet[10], header_checksum(packet.data()));
  store_be64(&packet[ip_header], static_cast<std::uint64_t>(from));
  store_be64(&packet[ip_header + 8], serial);
  for (std::size_t i = ip_header + 16; i < packet.size(); ++i) packet[i] = content(serial, i);
  return packet;
}

}  // namespace

SimEnd::SimEnd(World& world, int number, session::SessionSettings settings,
               std::shared_ptr<const dtls::Identity> identity)
    : world_(world),
      number_(number),
      session_(std::move(settings), std::move(identity), counters_, control_drops_),
      lane_(mailbox_, counters_, true) {}

void SimEnd::receive(std::vector<std::uint8_t> datagram) {
  receive(std::move(datagram), World::address(1 - number_, number_ == 1 ? world_.rebinds() : 0));
}

void SimEnd::receive(std::vector<std::uint8_t> datagram, const outside::Endpoint& from,
                     datapath::UdpFlow flow) {
  const outside::Received received{datagram, datagram.size(), from, 0};
  lane_.from_outside(received, world_.now, flow);
  for (const auto& super : lane_.join()) {
    std::vector<std::uint8_t> packet;
    for (const auto& part : super.iovecs.subspan(1)) {
      const auto* const data = static_cast<const std::uint8_t*>(part.iov_base);
      packet.insert(packet.end(), data, data + part.iov_len);
    }
    check_delivered(packet);
    lane_.count_written(super);
  }
  settle();
}

void SimEnd::check_delivered(ConstBytes packet) {
  const auto violation = [&](const char* what) { world_.violations.emplace_back(what); };
  if (packet.size() < least_packet) return violation("a delivered packet is too short");
  const std::uint64_t serial = load_be64(packet.data() + ip_header + 8);
  const auto expected = make_packet(1 - number_, serial, packet.size());
  if (!std::ranges::equal(packet, expected)) return violation("a packet was invented or corrupted");
  if (!delivered_.insert(serial).second) return violation("a packet was delivered twice");
  ++delivered_packets;
}

void SimEnd::send_packets(int count, std::size_t bytes) {
  for (int i = 0; i < count; ++i) {
    auto packet = make_packet(number_, sent_packets++, bytes);
    lane_.from_inside({}, packet, 1400, world_.now);
  }
  flush(lane_.seal(world_.now));
  lane_.sent();
  flush(lane_.control_runs());
  lane_.control_sent();
}

void SimEnd::flush(std::span<const datapath::DatagramRun> runs) {
  for (const auto& run : runs) {
    // A copy to a candidate. The observer would take it for a nonce that is used twice.
    const bool is_copy = std::any_of(runs.data(), &run, [&](const datapath::DatagramRun& earlier) {
      return earlier.data == run.data;
    });
    for (std::size_t at = 0; at < run.bytes; at += run.segment_bytes) {
      const auto end = std::min(at + run.segment_bytes, run.bytes);
      if (!world_.wire.carries(end - at) && world_.icmp) {
        lane_.announce(0, datapath::DatagramTooBig{{run.to.remote.address, world_.wire.mtu}});
      }
      send({run.data + at, run.data + end}, run.to, run.flow, !is_copy);
      lane_.count_sent(run, end - at);
    }
  }
}

void SimEnd::send(ConstBytes datagram, const outside::Endpoint& to, datapath::UdpFlow flow,
                  bool observed) {
  if (observed && world_.observer) world_.observer(number_, datagram);
  if (world_.diverter && world_.diverter(number_, to, datagram)) return;
  const int peer = 1 - number_;
  const int rebinds = world_.rebinds();
  using datapath::UdpFlow;
  for (const UdpFlow port : {UdpFlow::bulk, UdpFlow::sparse}) {
    if (to.remote == World::address(peer, peer == 0 ? rebinds : 0, port).remote) {
      world_.wire.send(peer, number_ == 0 ? rebinds : 0, peer == 0 ? port : flow,
                       {datagram.begin(), datagram.end()}, world_.now);
      return;
    }
    for (int earlier = 0; peer == 0 && earlier < rebinds; ++earlier) {
      if (to.remote == World::address(peer, earlier, port).remote) return;
    }
  }
  if (world_.to_stranger) return world_.to_stranger(datagram);
  world_.violations.emplace_back("a datagram was sent to an address that the peer never had");
}

void SimEnd::settle() {
  for (bool busy = true; busy;) {
    busy = false;
    drain();
    lane_.execute_commands(world_.now);
    if (const auto due = lane_.due(); due && *due <= world_.now) {
      lane_.on_timer(world_.now);
      busy = true;
    }
    flush(lane_.control_runs());
    lane_.control_sent();
    const auto timer = session_.deadline();
    const bool timer_due = timer && *timer <= world_.now;
    // As in the process, other events wait for one of these.
    const bool takes_events = lane_.take_wake() || timer_due || !mailbox_.handshakes.empty();
    if (takes_events) ++wakes;
    while (const auto* const event = takes_events ? mailbox_.events.front() : nullptr) {
      session_.on_lane_event(*event, world_.now);
      mailbox_.events.release();
      drain();
      busy = true;
    }
    while (const auto* const datagram = mailbox_.handshakes.front()) {
      session_.on_handshake(*datagram, world_.now);
      mailbox_.handshakes.release();
      drain();
      busy = true;
    }
    if (std::exchange(resolving_, false)) {
      session_.on_resolved({World::address(1 - number_).remote}, "", world_.now);
      busy = true;
    }
    if (const auto due = session_.deadline(); due && *due <= world_.now) {
      session_.on_timer(world_.now);
      busy = true;
    }
  }
}

void SimEnd::drain() {
  while (auto output = session_.take_output(world_.now)) carry_out(*output);
}

void SimEnd::carry_out(session::Output& output) {
  std::visit(Overloaded{
                 [&](const session::SendHandshake& flight) {
                   // As in the process, the lane installs keys before the flight is sent.
                   lane_.execute_commands(world_.now);
                   send(flight.datagram, flight.to);
                 },
                 [&](datapath::LaneCommand& command) {
                   if (std::holds_alternative<datapath::RetireAssociation>(command)) retired();
                   datapath::LaneCommand* slot = mailbox_.commands.reserve();
                   if (slot == nullptr) {
                     lane_.execute_commands(world_.now);
                     slot = mailbox_.commands.reserve();
                   }
                   *slot = std::move(command);
                   mailbox_.commands.publish();
                 },
                 [&](const session::Resolve&) { resolving_ = true; },
                 [&](const session::LookUpRoute& path) {
                   session_.on_route(path.remote, {1500, 1500}, world_.now);
                 },
                 [&](session::CarrierOn) { set_carrier(true); },
                 [&](session::CarrierOff) { set_carrier(false); },
                 [](const session::StateChanged&) {},
                 [](const session::HandshakeFailed&) {},
                 [&](const session::TakenOver& taken) { takeovers.push_back(taken); },
                 [&](const session::PathMtuChanged& path) {
                   path_mtu = path.path_mtu;
                   payload_bytes = path.payload_bytes;
                   ++path_mtu_changes;
                 },
                 [&](const session::PeerRemembered& peer) { world_.remembered = peer.address; },
                 [&](const session::KeepGasp& kept) { gasp = kept; },
                 [&](const session::ConnectSparse& flow) { sparse_peer = flow.remote; },
             },
             output);
}

void SimEnd::stop() {
  session_.stop(world_.now);
  settle();
}

bool SimEnd::hand_over(SimEnd& successor) {
  std::vector<std::uint8_t> room(std::size_t{1} << 20);
  FieldWriter writer(room);
  bool resumes = session_.begin_hand_over(world_.now);
  auto counts = datapath::LaneCounts::of(counters_);
  if (resumes) {
    auto lane = lane_.hand_over();
    writer(counts, lane, session_, carrier_, path_mtu, payload_bytes, carrier_changes);
  }
  successor.sparse_peer = sparse_peer;
  successor.path_mtu_changes = path_mtu_changes;
  successor.inherit_counts(*this);
  if (!resumes) return false;
  if (!writer.fits()) world_.violations.emplace_back("a state has no room");
  FieldReader reader(ConstBytes(room).first(writer.bytes()));
  datapath::LaneState lane;
  reader(counts, lane, successor.session_, successor.carrier_, successor.path_mtu,
         successor.payload_bytes, successor.carrier_changes);
  if (!reader.complete()) world_.violations.emplace_back("a state was read in another way");
  counts.restore(successor.counters_);
  successor.lane_.resume(lane, world_.now);
  return true;
}

void SimEnd::replace_identity(std::shared_ptr<const dtls::Identity> identity) {
  session_.replace_identity(std::move(identity), world_.now);
  settle();
}

void SimEnd::inherit_counts(SimEnd& killed) {
  sent_packets = killed.sent_packets;
  delivered_packets = killed.delivered_packets;
  delivered_ = std::move(killed.delivered_);
}

std::optional<Time> SimEnd::deadline() const {
  const auto timer = session_.deadline();
  const auto keepalive = lane_.due();
  if (timer && keepalive) return std::min(*timer, *keepalive);
  return timer ? timer : keepalive;
}

void SimEnd::set_carrier(bool on) {
  if (on == carrier_) world_.violations.emplace_back("the carrier was set to the state it had");
  if (on && path_mtu == 0)
    world_.violations.emplace_back("the carrier went on before the path MTU was known");
  carrier_ = on;
  ++carrier_changes;
}

}  // namespace routevpn::test
