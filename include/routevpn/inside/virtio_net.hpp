// The header before every packet read from or written to a TUN device with IFF_VNET_HDR: virtio 1.2
// section 5.1.6, in host byte order (TUN's default). linux/virtio_net.h does not compile as C++,
// and in Debian 12 it lacks UDP_L4.
#pragma once

#include <cstddef>
#include <cstdint>

namespace routevpn::inside {

struct VirtioNetHeader {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t header_bytes = 0;     // of all headers; only a hint
  std::uint16_t gso_bytes = 0;        // payload of each segment
  std::uint16_t checksum_start = 0;   // offset where the summed bytes begin
  std::uint16_t checksum_offset = 0;  // offset of the checksum field from checksum_start
};
inline constexpr std::size_t virtio_net_header_bytes = sizeof(VirtioNetHeader);
static_assert(virtio_net_header_bytes == 10);

inline constexpr std::uint8_t vnet_needs_checksum = 1;
inline constexpr std::uint8_t vnet_gso_none = 0;
inline constexpr std::uint8_t vnet_gso_tcp4 = 1;
inline constexpr std::uint8_t vnet_gso_tcp6 = 4;
inline constexpr std::uint8_t vnet_gso_udp = 5;  // UDP_L4: one datagram per gso_bytes
inline constexpr std::uint8_t vnet_gso_ecn = 0x80;

}  // namespace routevpn::inside
