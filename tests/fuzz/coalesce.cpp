// Packets of three flows, continued and disturbed as the input tells: segmentation restores what
// joining joined.
#include "inside_pair.hpp"

void routevpn::fuzz::run_target(Input input) {
  packets::Spec flows[3];
  flows[1].protocol = packets::udp;
  flows[2].v6 = true;
  std::vector<Octets> traffic;
  while (!input.empty() && traffic.size() < 300) {
    const std::uint8_t choice = input.byte();
    auto& flow = flows[choice % 3];
    flow.source = static_cast<std::uint8_t>(10 + choice % 3);
    if ((choice & 0x40) != 0) flow.payload.assign(input.number() % 1400, choice);
    packets::Spec now = flow;
    if ((choice & 0x04) != 0) now.flags = input.byte();
    if ((choice & 0x08) != 0) now.id = static_cast<std::uint16_t>(now.id + input.byte());
    if ((choice & 0x10) != 0) now.tos = input.byte();
    if ((choice & 0x20) != 0) now.tcp_options.assign(input.byte() % 11 * std::size_t{4}, 1);
    flow.id = static_cast<std::uint16_t>(flow.id + 1);
    flow.sequence += static_cast<std::uint32_t>(now.payload.size());
    Octets packet = packets::build(now);
    if ((choice & 0x80) != 0) {
      const std::size_t addresses_end = now.v6 ? ipv6_header_bytes : ipv4_header_bytes;
      const std::size_t at = input.number();
      packet[addresses_end + at % (packet.size() - addresses_end)] ^= input.byte();
    }
    traffic.push_back(std::move(packet));
  }
  require_restored(traffic);
}
