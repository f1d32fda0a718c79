// The TUN device: the inside of the link. Read and write carry a virtio-net header before each
// packet; checksum, TSO and (where the kernel has it) USO offloads are on.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <sys/uio.h>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::inside {

enum class IoResult : std::uint8_t { ok, would_block, failed };

// One queue of the interface, which goes with the last of them. Of several the kernel gives each
// flow one: the queue that last wrote packets of the flow's other direction, or one by hash.
class Tun {
 public:
  // A new interface in the calling thread's network namespace, with the carrier off from its first
  // moment; `shared`: more queues are to come. `name` is an interface name, or a pattern with %d.
  // Throws UsageError when the name is taken or not a valid interface name, SystemError when the
  // system refuses (no permission, no /dev/net/tun).
  static Tun create(const std::string& name, bool shared = false);
  // One more queue of a shared interface, detached, from the namespace it is in. Throws
  // SystemError.
  [[nodiscard]] Tun another_queue() const;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool has_udp_offload() const { return udp_offload_; }

  // One super-packet, header first. `length` is what was read. Never blocks.
  IoResult read(Bytes buffer, std::size_t& length) const;
  // One super-packet; pieces[0] is the header. Never blocks.
  [[nodiscard]] IoResult write(std::span<const iovec> pieces) const;
  // A detached queue is given no packets, and what waits in it is dropped; everything else goes on.
  // Throws SystemError.
  void attach(bool attached) const;
  // Announced by the kernel before this returns (Linux 6.8; up to a second later before that).
  // Throws SystemError.
  void set_carrier(bool on) const;

 private:
  Tun(Fd fd, Fd query, std::string name, bool udp_offload);
  Fd fd_;
  Fd query_;  // a socket in the interface's namespace, to ask for its link state
  std::string name_;
  bool udp_offload_;
};

}  // namespace routevpn::inside
