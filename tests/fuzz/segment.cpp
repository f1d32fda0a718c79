// Whatever the kernel or a peer's stack hands in: segmentation makes whole IP packets, and joining
// and segmenting these packets again restores them.
#include "routevpn/inside/segment.hpp"

#include <cstring>

#include "routevpn/inside/ip_packet.hpp"

#include "inside_pair.hpp"

void routevpn::fuzz::run_target(Input input) {
  inside::VirtioNetHeader header;
  const bool repair = (input.byte() & 1) != 0;
  const std::size_t mtu = ipv4_minimum_mtu + input.number() % (65536 - ipv4_minimum_mtu);
  const auto bytes = input.take(sizeof header);
  std::memcpy(&header, bytes.data(), bytes.size());
  Octets packet(input.rest().begin(), input.rest().end());
  if (packet.size() > 65535) return;
  if (repair) set_length(packet);
  const auto split = packets::split(header, packet, mtu);
  for (const auto& one : split.packets) {
    require(inside::ip_packet_verdict(one) == inside::IpVerdict::valid, "a whole IP packet");
  }
  require_restored(split.packets);
  if (split.packets.size() < 2) return;
  const std::size_t headers = split.packets[0].size() - header.gso_bytes;
  Octets payload;
  for (const auto& one : split.packets) {
    require(one.size() <= mtu, "segments fit the MTU");
    payload.insert(payload.end(), one.begin() + static_cast<std::ptrdiff_t>(headers), one.end());
  }
  require(std::ranges::equal(payload, ConstBytes(packet).subspan(headers)), "the byte stream");
}
