// join() goes twice over the packets. The first pass only decides: every packet starts a run or is
// chained to the run of its flow. Runs are kept in the order in which they started, and a run is
// closed before anything of its flow starts another, so that order is also each flow's. The second
// pass rewrites the headers of the runs and lays out the pieces.
#include "routevpn/inside/coalesce.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "routevpn/inside/checksum.hpp"

#include "mergeable.hpp"
#include "packet_fields.hpp"

namespace routevpn::inside {
namespace {

constexpr std::size_t max_packet_bytes = 65535;  // the IPv4 total length's limit, for both versions
constexpr std::uint32_t max_udp_segments = 64;   // UDP_MAX_SEGMENTS of older kernels
// One write takes IOV_MAX pieces: the virtio-net header, the first packet, then one per packet.
constexpr std::uint32_t max_packets = 1024 - 1;

// How IPv4 ids go on within a run. Splitting makes consecutive ones; packets with DF may all have
// the same, for they are never fragmented and receivers must ignore it (RFC 6864 section 4.1).
enum class IdStep : std::uint8_t { undecided, consecutive, constant };

// Packets that become one super-packet, one or more.
struct Run {
  ParsedPacket head;
  std::uint32_t first;  // index of its first packet, the head
  std::uint32_t last;
  std::uint32_t packets = 1;
  std::uint32_t payload_bytes;
  std::uint32_t bytes;  // of all packets, as they came
  IdStep id_step = IdStep::undecided;
  bool is_open;
  bool is_verified = false;  // the head's checksums; all others were verified to get in
  bool has_push;
};

constexpr std::uint32_t none = UINT32_MAX;

bool id_continues(Run& run, const ParsedPacket& next) {
  if (next.is_v6) return true;
  const auto step = static_cast<std::uint16_t>(load_be16(next.data + ip4::id_at) -
                                               load_be16(run.head.data + ip4::id_at));
  const bool dont_fragment = (load_be16(next.data + ip4::fragment_at) & ip4::dont_fragment) != 0;
  const IdStep id_step = step == 0 && dont_fragment ? IdStep::constant
                         : step == run.packets      ? IdStep::consecutive
                                                    : IdStep::undecided;
  if (id_step == IdStep::undecided) return false;
  if (run.id_step == IdStep::undecided) run.id_step = id_step;
  return run.id_step == id_step;
}

// All rules but the checksums'.
bool fits(Run& run, const ParsedPacket& next) {
  const ParsedPacket& head = run.head;
  if (next.payload_bytes() > head.payload_bytes()) return false;
  if (head.header_bytes + run.payload_bytes + next.payload_bytes() > max_packet_bytes) return false;
  if (!same_headers(head, next)) return false;
  if (!head.is_udp && load_be32(next.l4() + tcp::sequence_at) !=
                          load_be32(head.l4() + tcp::sequence_at) + run.payload_bytes) {
    return false;
  }
  return id_continues(run, next);
}

// Writes the lengths and checksums of the whole into the head's headers, and says in the
// virtio-net header how it is to be split.
void rewrite_head(const Run& run, VirtioNetHeader& header) {
  const ParsedPacket& head = run.head;
  std::uint8_t* const l4 = head.l4();
  header.flags = vnet_needs_checksum;
  header.header_bytes = head.header_bytes;
  header.gso_bytes = static_cast<std::uint16_t>(head.payload_bytes());
  header.checksum_start = head.l4_at;

  const auto total = static_cast<std::uint16_t>(head.header_bytes + run.payload_bytes);
  const auto l4_length = static_cast<std::uint16_t>(total - head.l4_at);
  if (head.is_v6) {
    store_be16(head.data + ip6::payload_length_at, l4_length);
  } else {
    store_be16(head.data + ip4::total_length_at, total);
    store_be16(head.data + ip4::checksum_at, 0);
    const std::uint16_t sum = checksum_add({head.data, ip4::header_bytes});
    store_be16(head.data + ip4::checksum_at, static_cast<std::uint16_t>(~sum));
  }
  const ConstBytes addresses = addresses_of(head.data);
  if (head.is_udp) {
    header.gso_type = vnet_gso_udp;
    header.checksum_offset = udp::checksum_at;
    store_be16(l4 + udp::length_at, l4_length);
    store_be16(l4 + udp::checksum_at, pseudo_header_sum(addresses, udp::protocol, l4_length));
  } else {
    header.gso_type = head.is_v6 ? vnet_gso_tcp6 : vnet_gso_tcp4;
    header.checksum_offset = tcp::checksum_at;
    if (run.has_push) l4[tcp::flags_at] |= tcp::psh;
    store_be16(l4 + tcp::checksum_at, pseudo_header_sum(addresses, tcp::protocol, l4_length));
  }
}

// The flows seen of late, each with its latest run. When it is full, the flow that came first is
// forgotten: its run is not added to any more.
class FlowTable {
 public:
  void clear() { count_ = oldest_ = 0; }

  // The entry's place, or none.
  [[nodiscard]] std::uint32_t find(const ParsedPacket& packet, const std::vector<Run>& runs) const {
    // Packets of one flow often come in a row.
    if (latest_ < count_ && is_flow(latest_, packet, runs)) return latest_;
    for (std::uint32_t place = 0; place < count_; ++place) {
      if (is_flow(place, packet, runs)) return place;
    }
    return none;
  }
  [[nodiscard]] std::uint32_t run_at(std::uint32_t place) {
    latest_ = place;
    return runs_[place];
  }
  void set(std::uint32_t place, std::uint32_t run) { runs_[place] = run; }
  void add(std::uint32_t hash, std::uint32_t run) {
    latest_ = count_ < size ? count_++ : oldest_++ % size;
    hashes_[latest_] = hash;
    runs_[latest_] = run;
  }
  [[nodiscard]] std::span<const std::uint32_t> runs() const { return {runs_.data(), count_}; }

 private:
  static constexpr std::uint32_t size = 64;

  [[nodiscard]] bool is_flow(std::uint32_t place, const ParsedPacket& packet,
                             const std::vector<Run>& runs) const {
    return hashes_[place] == packet.flow_hash && same_flow(runs[runs_[place]].head, packet);
  }

  std::array<std::uint32_t, size> hashes_{};
  std::array<std::uint32_t, size> runs_{};
  std::uint32_t count_ = 0;
  std::uint32_t oldest_ = 0;
  std::uint32_t latest_ = 0;
};

}  // namespace

struct Coalescer::State {
  State(std::size_t capacity_packets, bool with_udp)
      : capacity(capacity_packets),
        udp_offload(with_udp),
        next(capacity_packets),
        headers(capacity_packets),
        // A run of n packets takes n + 1 pieces.
        pieces(2 * capacity_packets) {
    runs.reserve(capacity_packets);
    supers.reserve(capacity_packets);
  }

  std::size_t capacity;
  bool udp_offload;
  FlowTable flows;
  std::vector<Run> runs;
  std::vector<std::uint32_t> next;  // packet behind each packet in its run, or none
  std::vector<VirtioNetHeader> headers;
  std::vector<iovec> pieces;
  std::vector<SuperPacket> supers;

  void take(const ParsedPacket& packet, std::uint32_t index);
  void lay_out(std::span<const Bytes> packets);

 private:
  std::uint32_t start_run(const ParsedPacket& packet, std::uint32_t index);
  bool join_run(Run& run, const ParsedPacket& packet, std::uint32_t index);
  void close_between_addresses_of(const ParsedPacket& packet);
};

std::uint32_t Coalescer::State::start_run(const ParsedPacket& packet, std::uint32_t index) {
  const bool push = packet.kind == Kind::mergeable && has_push(packet);
  runs.push_back({.head = packet,
                  .first = index,
                  .last = index,
                  .payload_bytes = packet.bytes - packet.header_bytes,
                  .bytes = packet.bytes,
                  .is_open = packet.kind == Kind::mergeable && !push,
                  .has_push = push});
  return static_cast<std::uint32_t>(runs.size() - 1);
}

// Whether the packet was added to the run. What cannot be added starts a run that takes this one's
// place in the table.
bool Coalescer::State::join_run(Run& run, const ParsedPacket& packet, std::uint32_t index) {
  if (!run.is_open || packet.kind != Kind::mergeable || !fits(run, packet)) return false;
  // A wrong checksum must reach the receiver as it is: joining would put a right one in its place.
  if (!run.is_verified && !checksums_hold(run.head)) return false;
  run.is_verified = true;
  if (!checksums_hold(packet)) return false;
  next[run.last] = index;
  run.last = index;
  ++run.packets;
  run.payload_bytes += packet.payload_bytes();
  run.bytes += packet.bytes;
  run.has_push = has_push(packet);
  run.is_open = !run.has_push && packet.payload_bytes() == run.head.payload_bytes() &&
                run.packets < (packet.is_udp ? max_udp_segments : max_packets);
  return true;
}

// It may be of any flow between these addresses: none of them may be added to after it.
void Coalescer::State::close_between_addresses_of(const ParsedPacket& packet) {
  for (const std::uint32_t run : flows.runs()) {
    if (same_addresses(runs[run].head, packet)) runs[run].is_open = false;
  }
}

void Coalescer::State::take(const ParsedPacket& packet, std::uint32_t index) {
  next[index] = none;
  if (packet.kind == Kind::other || packet.kind == Kind::obscure) {
    if (packet.kind == Kind::obscure) close_between_addresses_of(packet);
    start_run(packet, index);
    return;
  }
  const std::uint32_t place = flows.find(packet, runs);
  if (place == none) {
    flows.add(packet.flow_hash, start_run(packet, index));
  } else if (!join_run(runs[flows.run_at(place)], packet, index)) {
    flows.set(place, start_run(packet, index));
  }
}

void Coalescer::State::lay_out(std::span<const Bytes> packets) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    VirtioNetHeader& header = headers[i];
    header = {};
    if (run.packets > 1) rewrite_head(run, header);
    const std::size_t first_piece = used;
    pieces[used++] = {&header, sizeof header};
    pieces[used++] = {run.head.data, run.head.bytes};
    for (std::uint32_t at = next[run.first]; at != none; at = next[at]) {
      pieces[used++] = {packets[at].data() + run.head.header_bytes,
                        packets[at].size() - run.head.header_bytes};
    }
    supers.push_back({{&pieces[first_piece], used - first_piece}, run.packets, run.bytes});
  }
}

Coalescer::Coalescer(std::size_t capacity_packets, bool udp_offload)
    : state_(std::make_unique<State>(capacity_packets, udp_offload)) {}
Coalescer::~Coalescer() = default;

std::span<const SuperPacket> Coalescer::join(std::span<const Bytes> packets) {
  State& state = *state_;
  state.flows.clear();
  state.runs.clear();
  state.supers.clear();
  packets = packets.first(std::min(packets.size(), state.capacity));
  for (std::uint32_t index = 0; index < packets.size(); ++index) {
    state.take(parse_packet(packets[index], state.udp_offload), index);
  }
  state.lay_out(packets);
  return state.supers;
}

}  // namespace routevpn::inside
