// Packets of the interface's second queue that must wait until older packets of their flows, which
// are in the first queue, are sent: sparse_loop.hpp.
//
//     hold(slot)       from now on the slot's packets are held
//     add()            a packet of such a slot comes, or one that only the lane can send
//     begin_pass()     the lane begins to read the first queue
//     release()        the lane has read all that was there: the packets to send now
//     released()       they are sent. A slot without other packets is not held any more.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/datapath/flow_classes.hpp"

namespace routevpn::datapath {

class HeldPackets {
 public:
  using Slot = FlowClasses::Slot;
  static constexpr std::size_t most_packets = 1024;
  static constexpr std::size_t most_bytes = std::size_t{1} << 20;

  struct Packet {
    Bytes bytes;
    Slot slot = 0;
    bool is_released = false;
  };

  HeldPackets();
  void hold(Slot slot);
  [[nodiscard]] bool holds(Slot slot) const { return holding_[slot]; }
  // False: there is no room.
  bool add(ConstBytes packet, Slot slot);
  // No packet and no slot is held.
  [[nodiscard]] bool empty() const {
    return now_.packets.empty() && earlier_.packets.empty() && now_.slots.empty() &&
           earlier_.slots.empty();
  }

  void begin_pass();
  // In their order. Valid until released().
  std::span<const Packet> release();
  // Returns what was sent, valid until release().
  std::span<const Packet> released();
  // Returns the number of packets.
  std::size_t drop_all();

 private:
  struct Store {
    std::unique_ptr<std::uint8_t[]> memory =
        std::make_unique_for_overwrite<std::uint8_t[]>(most_bytes);
    std::size_t used = 0;
    std::vector<Packet> packets;
    std::vector<Slot> slots;  // of hold()
  };

  void set_earlier(bool holds);

  std::array<bool, std::size_t{1} << FlowClasses::slot_bits> holding_{};
  Store now_;
  Store earlier_;  // came before begin_pass()
  std::vector<Packet> to_send_;
};

}  // namespace routevpn::datapath
