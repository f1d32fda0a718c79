// join() passes over the packets twice. The first pass starts a chain for each packet or appends
// the packet to the chain of its flow. A chain is closed before another packet of its flow starts a
// new one, so the order of the chains keeps the order within each flow. The second pass rewrites
// the headers of the chains and lists their parts as iovecs.
#include "routevpn/inside/coalesce.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "routevpn/inside/checksum.hpp"

#include "coalesce_rules.hpp"
#include "packet_fields.hpp"

namespace routevpn::inside {
namespace {

constexpr std::size_t max_packet_bytes = 65535;  // limit of the IPv4 total length; IPv6 follows it
constexpr std::uint32_t max_udp_segments = 64;   // UDP_MAX_SEGMENTS before Linux 6.9
// writev() takes IOV_MAX (1024) iovecs: one for the virtio-net header, one for each packet.
constexpr std::uint32_t max_packets = 1024 - 1;

// How the IPv4 ids of a chain continue. Segmentation writes consecutive ids. Packets with DF may
// also share one id, because they are never fragmented and receivers ignore it (RFC 6864
// section 4.1).
enum class IdStep : std::uint8_t { undecided, consecutive, constant };

// One or more packets that become one super-packet.
struct Chain {
  ParsedPacket head;
  std::uint32_t first;  // index of its first packet, the head
  std::uint32_t last;
  std::uint32_t packets = 1;
  std::uint32_t payload_bytes;
  std::uint32_t bytes;  // of all packets as received
  IdStep id_step = IdStep::undecided;
  bool is_open;
  bool is_verified = false;  // the checksums of the head; join_chain() verifies the others
  bool has_push;
};

constexpr std::uint32_t none = UINT32_MAX;

bool id_continues(Chain& chain, const ParsedPacket& next) {
  if (next.is_v6) return true;
  const auto step = static_cast<std::uint16_t>(load_be16(next.data + ip4::id_at) -
                                               load_be16(chain.head.data + ip4::id_at));
  const bool dont_fragment = (load_be16(next.data + ip4::fragment_at) & ip4::dont_fragment) != 0;
  const IdStep id_step = step == 0 && dont_fragment ? IdStep::constant
                         : step == chain.packets    ? IdStep::consecutive
                                                    : IdStep::undecided;
  if (id_step == IdStep::undecided) return false;
  if (chain.id_step == IdStep::undecided) chain.id_step = id_step;
  return chain.id_step == id_step;
}

// All rules except for the checksums.
bool fits(Chain& chain, const ParsedPacket& next) {
  const ParsedPacket& head = chain.head;
  if (next.payload_bytes() > head.payload_bytes()) return false;
  if (head.header_bytes + chain.payload_bytes + next.payload_bytes() > max_packet_bytes)
    return false;
  if (!same_headers(head, next)) return false;
  if (!head.is_udp && load_be32(next.l4() + tcp::sequence_at) !=
                          load_be32(head.l4() + tcp::sequence_at) + chain.payload_bytes) {
    return false;
  }
  return id_continues(chain, next);
}

// Writes the lengths and checksums of the super-packet into the head, and into the virtio-net
// header how the kernel segments it.
void rewrite_head(const Chain& chain, VirtioNetHeader& header) {
  const ParsedPacket& head = chain.head;
  std::uint8_t* const l4 = head.l4();
  header.flags = vnet_needs_checksum;
  header.header_bytes = head.header_bytes;
  header.gso_bytes = static_cast<std::uint16_t>(head.payload_bytes());
  header.checksum_start = head.l4_at;

  const auto total = static_cast<std::uint16_t>(head.header_bytes + chain.payload_bytes);
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
    if (chain.has_push) l4[tcp::flags_at] |= tcp::psh;
    store_be16(l4 + tcp::checksum_at, pseudo_header_sum(addresses, tcp::protocol, l4_length));
  }
}

// The latest chain of each flow. A full table evicts its oldest entry, whose chain then gets no
// more packets.
class FlowTable {
 public:
  void clear() { count_ = oldest_ = 0; }

  // The index of the entry, or none.
  [[nodiscard]] std::uint32_t find(const ParsedPacket& packet,
                                   const std::vector<Chain>& chains) const {
    // The next packet is often of the same flow.
    if (latest_ < count_ && is_flow(latest_, packet, chains)) return latest_;
    for (std::uint32_t place = 0; place < count_; ++place) {
      if (is_flow(place, packet, chains)) return place;
    }
    return none;
  }
  [[nodiscard]] std::uint32_t chain_at(std::uint32_t place) {
    latest_ = place;
    return chains_[place];
  }
  void set(std::uint32_t place, std::uint32_t chain) { chains_[place] = chain; }
  void add(std::uint32_t hash, std::uint32_t chain) {
    latest_ = count_ < size ? count_++ : oldest_++ % size;
    hashes_[latest_] = hash;
    chains_[latest_] = chain;
  }
  [[nodiscard]] std::span<const std::uint32_t> chains() const { return {chains_.data(), count_}; }

 private:
  static constexpr std::uint32_t size = 64;

  [[nodiscard]] bool is_flow(std::uint32_t place, const ParsedPacket& packet,
                             const std::vector<Chain>& chains) const {
    return hashes_[place] == packet.flow_hash && same_flow(chains[chains_[place]].head, packet);
  }

  std::array<std::uint32_t, size> hashes_{};
  std::array<std::uint32_t, size> chains_{};
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
        // A chain of n packets takes n + 1 iovecs.
        iovecs(2 * capacity_packets) {
    chains.reserve(capacity_packets);
    supers.reserve(capacity_packets);
  }

  std::size_t capacity;
  bool udp_offload;
  FlowTable flows;
  std::vector<Chain> chains;
  std::vector<std::uint32_t> next;  // of each packet: the next one in its chain, or none
  std::vector<VirtioNetHeader> headers;
  std::vector<iovec> iovecs;
  std::vector<SuperPacket> supers;

  void take(const ParsedPacket& packet, std::uint32_t index);
  void lay_out(std::span<const Bytes> packets);

 private:
  std::uint32_t start_chain(const ParsedPacket& packet, std::uint32_t index);
  bool join_chain(Chain& chain, const ParsedPacket& packet, std::uint32_t index);
  void close_chains_between_addresses_of(const ParsedPacket& packet);
};

std::uint32_t Coalescer::State::start_chain(const ParsedPacket& packet, std::uint32_t index) {
  const bool push = packet.kind == Kind::mergeable && has_push(packet);
  chains.push_back({.head = packet,
                    .first = index,
                    .last = index,
                    .payload_bytes = packet.bytes - packet.header_bytes,
                    .bytes = packet.bytes,
                    .is_open = packet.kind == Kind::mergeable && !push,
                    .has_push = push});
  return static_cast<std::uint32_t>(chains.size() - 1);
}

// Whether the packet was appended to the chain. If not, the caller starts a new chain, which
// replaces this one in the table.
bool Coalescer::State::join_chain(Chain& chain, const ParsedPacket& packet, std::uint32_t index) {
  if (!chain.is_open || packet.kind != Kind::mergeable || !fits(chain, packet)) return false;
  // The super-packet gets a correct checksum, so only packets with correct checksums may join it.
  if (!chain.is_verified && !checksums_are_correct(chain.head)) return false;
  chain.is_verified = true;
  if (!checksums_are_correct(packet)) return false;
  next[chain.last] = index;
  chain.last = index;
  ++chain.packets;
  chain.payload_bytes += packet.payload_bytes();
  chain.bytes += packet.bytes;
  chain.has_push = has_push(packet);
  chain.is_open = !chain.has_push && packet.payload_bytes() == chain.head.payload_bytes() &&
                  chain.packets < (packet.is_udp ? max_udp_segments : max_packets);
  return true;
}

// The ports of `packet` are unknown. To keep the order of its flow, no chain between these
// addresses may get packets that arrived after it.
void Coalescer::State::close_chains_between_addresses_of(const ParsedPacket& packet) {
  for (const std::uint32_t chain : flows.chains()) {
    if (same_addresses(chains[chain].head, packet)) chains[chain].is_open = false;
  }
}

void Coalescer::State::take(const ParsedPacket& packet, std::uint32_t index) {
  next[index] = none;
  if (packet.kind == Kind::other || packet.kind == Kind::unknown_flow) {
    if (packet.kind == Kind::unknown_flow) close_chains_between_addresses_of(packet);
    start_chain(packet, index);
    return;
  }
  const std::uint32_t place = flows.find(packet, chains);
  if (place == none) {
    flows.add(packet.flow_hash, start_chain(packet, index));
  } else if (!join_chain(chains[flows.chain_at(place)], packet, index)) {
    flows.set(place, start_chain(packet, index));
  }
}

void Coalescer::State::lay_out(std::span<const Bytes> packets) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < chains.size(); ++i) {
    const Chain& chain = chains[i];
    VirtioNetHeader& header = headers[i];
    header = {};
    if (chain.packets > 1) rewrite_head(chain, header);
    const std::size_t first_iovec = used;
    iovecs[used++] = {&header, sizeof header};
    iovecs[used++] = {chain.head.data, chain.head.bytes};
    for (std::uint32_t at = next[chain.first]; at != none; at = next[at]) {
      iovecs[used++] = {packets[at].data() + chain.head.header_bytes,
                        packets[at].size() - chain.head.header_bytes};
    }
    supers.push_back({{&iovecs[first_iovec], used - first_iovec}, chain.packets, chain.bytes});
  }
}

Coalescer::Coalescer(std::size_t capacity_packets, bool udp_offload)
    : state_(std::make_unique<State>(capacity_packets, udp_offload)) {}
Coalescer::~Coalescer() = default;

std::span<const SuperPacket> Coalescer::join(std::span<const Bytes> packets) {
  State& state = *state_;
  state.flows.clear();
  state.chains.clear();
  state.supers.clear();
  packets = packets.first(std::min(packets.size(), state.capacity));
  for (std::uint32_t index = 0; index < packets.size(); ++index) {
    state.take(parse_packet(packets[index], state.udp_offload), index);
  }
  state.lay_out(packets);
  return state.supers;
}

}  // namespace routevpn::inside
