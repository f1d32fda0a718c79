// The choice between the two queues of an interface. An eBPF program of the kernel makes it for
// every packet: the hash of the packet's flow selects a slot, and the slot's byte is the queue. The
// slots are memory that the program shares with this process.
#pragma once

#include <cstddef>
#include <cstdint>

#include "routevpn/base/owned.hpp"
#include "routevpn/inside/tun.hpp"

namespace routevpn::inside {

// The first queue that was attached is that of bulk flows, the second that of sparse flows. A
// packet without flow_hash(), for example a fragment, goes to the first.
class Steering {
 public:
  static constexpr unsigned slot_bits = 11;
  static constexpr std::size_t slots = std::size_t{1} << slot_bits;

  struct Program {
    Fd code;
    Fd map;  // with the slots; none of them is sparse at first
  };
  // Needs CAP_BPF or CAP_SYS_ADMIN in the initial user namespace, and Linux 5.5. Throws
  // SystemError.
  static Program load();
  // Lets the program choose between the queues of this queue's interface, while the interface
  // exists. The program's descriptors may be closed afterwards. Throws SystemError.
  static void attach(const Program& program, const Tun& queue);

  // Maps the slots. Needs no right. The descriptor may be closed afterwards. Throws SystemError.
  explicit Steering(const Fd& map);
  Steering(Steering&& other) noexcept;
  Steering& operator=(Steering&& other) noexcept;
  Steering(const Steering&) = delete;
  Steering& operator=(const Steering&) = delete;
  ~Steering();

  // `flow_hash`: of flow_hash().
  static constexpr std::size_t slot_of(std::uint32_t flow_hash) {
    return flow_hash >> (32 - slot_bits);
  }

  // Packets that the kernel sends from now on take the other queue. Those that wait in a queue stay
  // there. Every thread may call these at any time.
  void steer(std::size_t slot, bool to_sparse);
  void steer_all(bool to_sparse);
  [[nodiscard]] bool is_sparse(std::size_t slot) const;

 private:
  std::uint8_t* bytes_;  // `slots` bytes: 0 or 1, the number of the queue
};

}  // namespace routevpn::inside
