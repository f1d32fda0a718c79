#include "routevpn/datapath/held_packets.hpp"

#include <algorithm>
#include <utility>

namespace routevpn::datapath {

HeldPackets::HeldPackets() {
  now_.packets.reserve(most_packets);
  earlier_.packets.reserve(most_packets);
  to_send_.reserve(2 * most_packets);
}

bool HeldPackets::add(ConstBytes packet, Slot slot) {
  if (most_bytes - now_.used < packet.size() || now_.packets.size() == most_packets) return false;
  const Bytes copy(now_.memory.get() + now_.used, packet.size());
  std::ranges::copy(packet, copy.begin());
  now_.used += packet.size();
  now_.packets.push_back({copy, slot});
  holding_[slot] = true;
  return true;
}

void HeldPackets::begin_pass() {
  if (earlier_.packets.empty()) std::swap(now_, earlier_);
}

// All that a flow has sent to the first queue came before its first packet that was held. So when
// that one may go, the others may, too.
std::span<const HeldPackets::Packet> HeldPackets::release() {
  to_send_ = earlier_.packets;
  for (const Packet& packet : earlier_.packets) holding_[packet.slot] = false;
  for (Packet& packet : now_.packets) {
    packet.is_released = !holding_[packet.slot];
    if (packet.is_released) to_send_.push_back(packet);
  }
  for (const Packet& packet : earlier_.packets) holding_[packet.slot] = true;
  return to_send_;
}

void HeldPackets::released() {
  for (const Packet& packet : to_send_) holding_[packet.slot] = false;
  to_send_.clear();
  earlier_.packets.clear();
  earlier_.used = 0;
  std::erase_if(now_.packets, [](const Packet& packet) { return packet.is_released; });
  if (now_.packets.empty()) now_.used = 0;
  for (const Packet& packet : now_.packets) holding_[packet.slot] = true;
}

}  // namespace routevpn::datapath
