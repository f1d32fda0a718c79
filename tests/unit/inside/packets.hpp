// A simple builder and checker of packets, independent of the code under test.
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

// A complete packet with correct lengths and checksums.
Octets build(const Spec& spec);

// RFC 1071 word by word; folded, not complemented.
std::uint16_t naive_sum(std::span<const std::uint8_t> bytes, std::uint32_t initial = 0);

// Whether all lengths and checksums of a TCP or UDP packet are correct.
bool is_sound(const Octets& packet, std::size_t l4_at);

// Recomputes the checksums of a packet without options and extension headers.
void repair_checksums(Octets& packet);

// The packet as a super-packet of the kernel: its checksum field holds the pseudo-header's sum.
struct Super {
  routevpn::inside::VirtioNetHeader header;
  Octets packet;
};
Super build_super(const Spec& spec, std::uint16_t gso_bytes);

Octets ascending(std::size_t size);  // no two adjacent bytes are equal
Octets random_octets(std::mt19937_64& random, std::size_t size);
// A number from..to, both included.
std::size_t pick(std::mt19937_64& random, std::size_t from, std::size_t to);
bool chance(std::mt19937_64& random, unsigned one_in);

// Segments one super-packet; empty when segment() refused it. Header and packet are in memory of
// exactly their size, so that a sanitizer detects every access beyond.
struct SplitResult {
  std::optional<routevpn::Drop> drop;
  std::vector<Octets> packets;
};
SplitResult split(const routevpn::inside::VirtioNetHeader& header, const Octets& packet,
                  std::size_t mtu = 65535);

// The super-packets that join() returned, each as the bytes of one write.
struct Joined {
  routevpn::inside::VirtioNetHeader header;
  Octets packet;
  std::size_t packets = 0;
};
std::vector<Joined> join(const std::vector<Octets>& input, bool udp_offload = true);

// All super-packets of join(), segmented again.
std::vector<Octets> split_all(const std::vector<Joined>& joined);

}  // namespace packets
