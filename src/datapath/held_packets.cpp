#include "routevpn/datapath/held_packets.hpp"

#include <algorithm>
#include <utility>

namespace routevpn::datapath {

HeldPackets::HeldPackets() {
  for (Store* const store : {&now_, &earlier_}) {
    store->packets.reserve(most_packets);
    store->slots.reserve(holding_.size());
  }
  to_send_.reserve(2 * most_packets);
}

void HeldPackets::hold(Slot slot) {
  if (std::exchange(holding_[slot], true)) return;
  now_.slots.push_back(slot);
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
  if (earlier_.packets.empty() && earlier_.slots.empty()) std::swap(now_, earlier_);
}

// All that a flow has sent to the first queue came before hold(), and before its first packet that
// was held. So when that one may go, the others may, too.
std::span<const HeldPackets::Packet> HeldPackets::release() {
  to_send_ = earlier_.packets;
  set_earlier(false);
  for (Packet& packet : now_.packets) {
    packet.is_released = !holding_[packet.slot];
    if (packet.is_released) to_send_.push_back(packet);
  }
  set_earlier(true);
  return to_send_;
}

std::span<const HeldPackets::Packet> HeldPackets::released() {
  set_earlier(false);
  earlier_.packets.clear();
  earlier_.slots.clear();
  earlier_.used = 0;
  std::erase_if(now_.packets, [](const Packet& packet) { return packet.is_released; });
  if (now_.packets.empty()) now_.used = 0;
  for (const Packet& packet : now_.packets) holding_[packet.slot] = true;
  return to_send_;
}

void HeldPackets::set_earlier(bool holds) {
  for (const Packet& packet : earlier_.packets) holding_[packet.slot] = holds;
  for (const Slot slot : earlier_.slots) holding_[slot] = holds;
}

std::size_t HeldPackets::drop_all() {
  const std::size_t count = now_.packets.size() + earlier_.packets.size();
  for (Store* const store : {&now_, &earlier_}) {
    store->packets.clear();
    store->slots.clear();
    store->used = 0;
  }
  holding_.fill(false);
  return count;
}

}  // namespace routevpn::datapath
