// The TUN device, the inside of the link. Every packet read or written has a virtio-net header.
// Checksum offload, TSO and (from Linux 6.2 on) USO are enabled.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <sys/uio.h>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::inside {

// What each queue of the interface holds, in packets: at 300,000 a second, more than arrive while
// another program has the lane's processor for 3 ms. host::Netlink sets it.
inline constexpr unsigned queue_packets = 1000;

enum class IoResult : std::uint8_t { ok, would_block, failed };

// One queue of the interface; the kernel removes the interface with its last queue. The kernel
// assigns each flow a queue: the one that last wrote packets of the flow's other direction, or one
// by hash.
class Tun {
 public:
  // Creates an interface in the calling thread's network namespace, with the carrier off from the
  // start. `shared`: more queues will be added. `name` is an interface name, or a pattern with %d.
  // Throws BusyError when the name is taken, UsageError when it is invalid, SystemError when a
  // system call fails (no permission, no /dev/net/tun).
  static Tun create(const std::string& name, bool shared = false);
  // Takes a queue that another process has opened. `udp_offload`: has_udp_offload() of that Tun.
  static Tun adopt(Fd fd, std::string name, bool udp_offload);
  // Opens another queue of a shared interface, detached. The calling thread is in the interface's
  // namespace. Throws SystemError.
  [[nodiscard]] Tun another_queue() const;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool exists() const;  // false: the interface was deleted
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool has_udp_offload() const { return udp_offload_; }

  // Reads one super-packet, header first, of `length` bytes. Never blocks.
  IoResult read(Bytes buffer, std::size_t& length) const;
  // Writes one super-packet; iovecs[0] is the header. Never blocks.
  [[nodiscard]] IoResult write(std::span<const iovec> iovecs) const;
  // Attaches or detaches the queue. A detached queue gets no packets, and the kernel drops those
  // that wait in it; writing still works. Throws SystemError.
  void attach(bool attached) const;

 private:
  Tun(Fd fd, std::string name, bool udp_offload);
  Fd fd_;
  std::string name_;
  bool udp_offload_;
};

}  // namespace routevpn::inside
