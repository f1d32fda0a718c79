// Packets made and judged for the tests in the plainest way, so that they share no code and no
// mistake with what is tested.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "routevpn/base/drop.hpp"
#include "routevpn/inside/coalesce.hpp"
#include "routevpn/inside/segment.hpp"

namespace packets {

using Octets = std::vector<std::uint8_t>;

inline constexpr std::uint8_t tcp = 6;
inline constexpr std::uint8_t udp = 17;
inline constexpr std::uint8_t fin = 0x01, syn = 0x02, rst = 0x04, psh = 0x08, ack = 0x10,
                              urg = 0x20, ece = 0x40, cwr = 0x80;

struct Spec {
  bool v6 = false;
  std::uint8_t protocol = tcp;
  std::uint8_t source = 1;       // last byte of the address
  std::uint8_t destination = 2;  // last byte of the address
  std::uint16_t source_port = 1000;
  std::uint16_t destination_port = 2000;
  std::uint8_t tos = 0;
  std::uint8_t ttl = 64;
  std::uint16_t id = 100;
  std::uint16_t fragment = 0x4000;  // DF
  std::uint32_t sequence = 0xfffff000;
  std::uint32_t acknowledgment = 7;
  std::uint8_t flags = ack;
  std::uint16_t window = 500;
  Octets ip_options;   // IPv4 options, or IPv6 extension headers; a multiple of 4 or 8 bytes
  Octets tcp_options;  // a multiple of 4 bytes
  Octets payload;
};

// A complete packet, all lengths and checksums right.
Octets build(const Spec& spec);

// RFC 1071 word by word; folded, not complemented.
std::uint16_t naive_sum(std::span<const std::uint8_t> bytes, std::uint32_t initial = 0);

// Whether all lengths and checksums of a TCP or UDP packet are right.
bool is_sound(const Octets& packet, std::size_t l4_at);

// Makes the checksums right again after something was changed. No options, no extension headers.
void repair_checksums(Octets& packet);

// The packet as a super-packet of the kernel: its checksum field holds the pseudo-header's sum.
struct Super {
  routevpn::inside::VirtioNetHeader header;
  Octets packet;
};
Super build_super(const Spec& spec, std::uint16_t gso_bytes);

Octets ascending(std::size_t size);  // no two neighbours alike
Octets random_octets(std::mt19937_64& random, std::size_t size);
// A number from..to, both included.
std::size_t pick(std::mt19937_64& random, std::size_t from, std::size_t to);
bool chance(std::mt19937_64& random, unsigned one_in);

// Splits one super-packet; nothing is given when segment() refused. The header and packet are
// handed over in memory of exactly their size, so that a sanitizer sees every byte beyond.
struct SplitResult {
  std::optional<routevpn::Drop> drop;
  std::vector<Octets> packets;
};
SplitResult split(const routevpn::inside::VirtioNetHeader& header, const Octets& packet,
                  std::size_t mtu = 65535);

// What join() made of packets, each super-packet as one write carries it.
struct Joined {
  routevpn::inside::VirtioNetHeader header;
  Octets packet;
  std::size_t packets = 0;
};
std::vector<Joined> join(const std::vector<Octets>& input, bool udp_offload = true);

// Everything that join() made, split again.
std::vector<Octets> split_all(const std::vector<Joined>& joined);

}  // namespace packets
