// Fragments from a hostile peer neither leave the reassembler's memory nor keep the fragments of a
// later association from their packet.
#include "routevpn/datapath/fragments.hpp"

#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  datapath::Reassembler reassembler;
  const auto add = [&](datapath::AssociationId association, const Octets& payload) {
    return reassembler.add(association, payload, inside::Ecn::not_ect).packet;
  };
  const std::size_t limit = 256 + input.number() % 1024;
  while (!input.empty()) {
    Octets payload = input.chunk();
    if (payload.empty()) continue;
    payload[0] = datapath::fragment_kind;
    require(add(1 + payload.size() % 2, payload).size() <= maximum_mtu, "a packet has 16 KiB");
    reassembler.release();
  }
  inside::OutboundBatch batch(1 << 18, 256);
  const Octets packet(limit * 3, 9);
  std::ranges::copy(packet, batch.append(packet.size()));
  require(datapath::Fragmenter().split(batch, 0, limit) == 0, "the fragments have room");
  Bytes whole;
  for (const auto& one : batch.packets()) whole = add(9, {one.data, one.data + one.length});
  require(std::ranges::equal(whole, packet), "the packet is reassembled");
}
