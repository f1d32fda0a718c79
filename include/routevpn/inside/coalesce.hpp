// Joins the packets of one receive from outside to super-packets, so that each passes the kernel's
// stack once. Nothing is copied: the iovecs of a super-packet point at one header, rewritten in
// place, and at the payloads where they were received.
#pragma once

#include <memory>
#include <span>

#include <sys/uio.h>

#include "routevpn/base/bytes.hpp"
#include "routevpn/inside/virtio_net.hpp"

namespace routevpn::inside {

// One write to the TUN device: iovecs[0] is the virtio-net header.
struct SuperPacket {
  std::span<const iovec> iovecs;
  std::uint32_t packets = 0;  // number of IP packets in it
  std::uint32_t bytes = 0;    // of these packets as received
};

class Coalescer {
 public:
  Coalescer(std::size_t capacity_packets, bool udp_offload);
  ~Coalescer();
  Coalescer(const Coalescer&) = delete;
  Coalescer& operator=(const Coalescer&) = delete;

  // Returns the super-packets of these IP packets, in order within each flow. A packet that cannot
  // be joined is a super-packet of its own, unchanged. segment() restores the packets, except for
  // the IPv4 ids of packets with DF that all had the same id: such an id has no meaning (RFC 6864
  // section 4.1). The result is valid, and the packets' memory must be, until the next call.
  // Packets beyond capacity_packets are left out. Every packet must have passed
  // ip_packet_verdict().
  std::span<const SuperPacket> join(std::span<const Bytes> packets);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace routevpn::inside
