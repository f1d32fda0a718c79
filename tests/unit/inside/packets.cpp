#include "packets.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "routevpn/inside/ip_packet.hpp"

namespace packets {
namespace {

using namespace routevpn;
using namespace routevpn::inside;

void put16(Octets& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

void put32(Octets& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xffff);
}

void put(Octets& to, const Octets& bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void put_address(Octets& to, bool v6, std::uint8_t last) {
  if (v6) {
    put(to, {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last});
  } else {
    put(to, {10, 1, 0, last});
  }
}

std::size_t fixed_bytes(bool v6) {
  return v6 ? 40 : 20;
}

std::size_t l4_offset(const Spec& spec) {
  return fixed_bytes(spec.v6) + spec.ip_options.size();
}

std::size_t checksum_field(std::uint8_t protocol) {
  return protocol == udp ? 6 : 16;
}

Octets build_l4(const Spec& spec) {
  Octets l4;
  if (spec.protocol == udp || spec.protocol == tcp) {
    put16(l4, spec.source_port);
    put16(l4, spec.destination_port);
  }
  if (spec.protocol == udp) {
    put16(l4, 8 + spec.payload.size());
    put16(l4, 0);
  } else if (spec.protocol == tcp) {
    put32(l4, spec.sequence);
    put32(l4, spec.acknowledgment);
    l4.push_back(static_cast<std::uint8_t>((20 + spec.tcp_options.size()) / 4 << 4));
    l4.push_back(spec.flags);
    put16(l4, spec.window);
    put32(l4, 0);
    put(l4, spec.tcp_options);
  }
  put(l4, spec.payload);
  return l4;
}

Octets build_ip(const Spec& spec, std::size_t l4_bytes) {
  Octets ip;
  if (spec.v6) {
    put32(ip, std::uint32_t{6} << 28 | std::uint32_t{spec.tos} << 20);
    put16(ip, spec.ip_options.size() + l4_bytes);
    ip.push_back(spec.ip_options.empty() ? spec.protocol : 60);  // 60: destination options
    ip.push_back(spec.ttl);
  } else {
    ip.push_back(static_cast<std::uint8_t>(0x40 | (20 + spec.ip_options.size()) / 4));
    ip.push_back(spec.tos);
    put16(ip, 20 + spec.ip_options.size() + l4_bytes);
    put16(ip, spec.id);
    put16(ip, spec.fragment);
    ip.push_back(spec.ttl);
    ip.push_back(spec.protocol);
    put16(ip, 0);
  }
  put_address(ip, spec.v6, spec.source);
  put_address(ip, spec.v6, spec.destination);
  put(ip, spec.ip_options);
  return ip;
}

std::uint16_t pseudo_sum(const Octets& packet, std::uint8_t protocol, std::size_t l4_bytes) {
  const bool v6 = packet[0] >> 4 == 6;
  const std::span<const std::uint8_t> addresses(packet.data() + (v6 ? 8 : 12), v6 ? 32 : 8);
  return naive_sum(addresses, static_cast<std::uint32_t>(protocol + l4_bytes));
}

void write_ip_checksum(Octets& packet) {
  if (packet[0] >> 4 == 6) return;
  store_be16(&packet[10], 0);
  const std::size_t header_bytes = std::size_t{4} * (packet[0] & 15U);
  store_be16(&packet[10], static_cast<std::uint16_t>(~naive_sum({packet.data(), header_bytes})));
}

void write_l4_checksum(Octets& packet, std::uint8_t protocol, std::size_t l4_at) {
  std::uint8_t* const field = &packet[l4_at + checksum_field(protocol)];
  store_be16(field, 0);
  const std::span<const std::uint8_t> l4(packet.data() + l4_at, packet.size() - l4_at);
  const auto sum =
      static_cast<std::uint16_t>(~naive_sum(l4, pseudo_sum(packet, protocol, l4.size())));
  store_be16(field, protocol == udp && sum == 0 ? 0xffff : sum);
}

}  // namespace

std::uint16_t naive_sum(std::span<const std::uint8_t> bytes, std::uint32_t initial) {
  std::uint64_t sum = initial;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? std::uint64_t{bytes[i]} << 8 : std::uint64_t{bytes[i]};
  }
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(sum);
}

Octets build(const Spec& spec) {
  const Octets l4 = build_l4(spec);
  Octets packet = build_ip(spec, l4.size());
  put(packet, l4);
  write_ip_checksum(packet);
  if (spec.protocol == tcp || spec.protocol == udp) {
    write_l4_checksum(packet, spec.protocol, l4_offset(spec));
  }
  return packet;
}

void repair_checksums(Octets& packet) {
  const bool v6 = packet[0] >> 4 == 6;
  write_ip_checksum(packet);
  write_l4_checksum(packet, packet[v6 ? 6 : 9], fixed_bytes(v6));
}

bool is_sound(const Octets& packet, std::size_t l4_at) {
  if (ip_packet_verdict(packet) != IpVerdict::valid) return false;
  const bool v6 = packet[0] >> 4 == 6;
  if (!v6 && naive_sum({packet.data(), std::size_t{4} * (packet[0] & 15U)}) != 0xffff) return false;
  // Behind extension headers, the last next-header field holds the protocol.
  const std::uint8_t protocol = v6 ? packet[l4_at == 40 ? 6 : 40] : packet[9];
  const std::span<const std::uint8_t> l4(packet.data() + l4_at, packet.size() - l4_at);
  if (protocol == udp && (load_be16(&l4[4]) != l4.size() || load_be16(&l4[6]) == 0)) return false;
  return naive_sum(l4, pseudo_sum(packet, protocol, l4.size())) == 0xffff;
}

Super build_super(const Spec& spec, std::uint16_t gso_bytes) {
  Super super;
  super.packet = build(spec);
  const std::size_t l4_at = l4_offset(spec);
  const std::size_t l4_header = spec.protocol == udp ? 8 : 20 + spec.tcp_options.size();
  super.header.flags = vnet_needs_checksum;
  super.header.gso_type = spec.protocol == udp ? vnet_gso_udp
                          : spec.v6            ? vnet_gso_tcp6
                                               : vnet_gso_tcp4;
  super.header.header_bytes = static_cast<std::uint16_t>(l4_at + l4_header);
  super.header.gso_bytes = gso_bytes;
  super.header.checksum_start = static_cast<std::uint16_t>(l4_at);
  super.header.checksum_offset = static_cast<std::uint16_t>(checksum_field(spec.protocol));
  store_be16(&super.packet[l4_at + super.header.checksum_offset],
             pseudo_sum(super.packet, spec.protocol, super.packet.size() - l4_at));
  return super;
}

Octets ascending(std::size_t size) {
  Octets octets(size);
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  return octets;
}

Octets random_octets(std::mt19937_64& random, std::size_t size) {
  Octets octets(size);
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(random());
  return octets;
}

std::size_t pick(std::mt19937_64& random, std::size_t from, std::size_t to) {
  return from + random() % (to - from + 1);
}

bool chance(std::mt19937_64& random, unsigned one_in) {
  return random() % one_in == 0;
}

SplitResult split(const VirtioNetHeader& header, const Octets& packet, std::size_t mtu) {
  Octets scratch(packet);
  scratch.shrink_to_fit();
  static OutboundBatch batch(worst_case_bytes, worst_case_segments);
  batch.clear(21, 16);
  SplitResult result;
  result.drop = segment(header, scratch, mtu, batch);
  for (const OutboundPacket& segment : batch.packets()) {
    result.packets.emplace_back(segment.data, segment.data + segment.length);
  }
  return result;
}

std::vector<Joined> join(const std::vector<Octets>& input, bool udp_offload) {
  std::vector<Octets> arena(input);
  std::vector<Bytes> views(arena.begin(), arena.end());
  Coalescer coalescer(std::max<std::size_t>(input.size(), 1), udp_offload);
  std::vector<Joined> result;
  for (const SuperPacket& super : coalescer.join(views)) {
    Joined joined;
    if (super.iovecs.size() < 2 || super.iovecs[0].iov_len != sizeof joined.header) {
      throw std::logic_error("a super-packet without its virtio-net header");
    }
    std::memcpy(&joined.header, super.iovecs[0].iov_base, sizeof joined.header);
    for (const iovec& part : super.iovecs.subspan(1)) {
      const auto* const bytes = static_cast<const std::uint8_t*>(part.iov_base);
      joined.packet.insert(joined.packet.end(), bytes, bytes + part.iov_len);
    }
    joined.packets = super.packets;
    result.push_back(std::move(joined));
  }
  return result;
}

std::vector<Octets> split_all(const std::vector<Joined>& joined) {
  std::vector<Octets> result;
  for (const Joined& super : joined) {
    const SplitResult segments = split(super.header, super.packet);
    if (segments.drop) throw std::logic_error("a super-packet that cannot be split");
    result.insert(result.end(), segments.packets.begin(), segments.packets.end());
  }
  return result;
}

}  // namespace packets
