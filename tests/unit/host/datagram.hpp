// An inner packet as a TUN interface takes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <netinet/in.h>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"

namespace routevpn::host {

inline constexpr std::uint16_t datagram_port = 7754;  // of source and target
inline constexpr std::size_t vnet_bytes = 10;

inline std::uint16_t internet_checksum(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += load_be16(&bytes[i]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// An empty UDP datagram after a virtio-net header.
inline std::vector<std::uint8_t> datagram(const std::string& from, const std::string& to) {
  constexpr std::size_t udp_bytes = 8;
  const IpAddress source = IpAddress::parse(from).value();
  const IpAddress target = IpAddress::parse(to).value();
  const std::size_t address_bytes = source.bits() / 8;
  std::vector<std::uint8_t> ip;
  std::vector<std::uint8_t> udp(udp_bytes);
  store_be16(&udp[0], datagram_port);
  store_be16(&udp[2], datagram_port);
  store_be16(&udp[4], udp_bytes);
  const auto append = [&](std::vector<std::uint8_t>& into, const IpAddress& address) {
    into.insert(into.end(), address.bytes().begin(),
                address.bytes().begin() + static_cast<std::ptrdiff_t>(address_bytes));
  };
  if (source.is_v4()) {
    ip = {0x45, 0, 0, 20 + udp_bytes, 0, 0, 0, 0, 64, IPPROTO_UDP, 0, 0};
    append(ip, source);
    append(ip, target);
    store_be16(&ip[10], internet_checksum(ip));
  } else {
    ip = {0x60, 0, 0, 0, 0, udp_bytes, IPPROTO_UDP, 64};
    append(ip, source);
    append(ip, target);
    std::vector<std::uint8_t> covered(ip.begin() + 8, ip.end());
    covered.insert(covered.end(), {0, 0, 0, udp_bytes, 0, 0, 0, IPPROTO_UDP});
    covered.insert(covered.end(), udp.begin(), udp.end());
    store_be16(&udp[6], internet_checksum(covered));
  }
  std::vector<std::uint8_t> packet(vnet_bytes);
  packet.insert(packet.end(), ip.begin(), ip.end());
  packet.insert(packet.end(), udp.begin(), udp.end());
  return packet;
}

}  // namespace routevpn::host
