// Joins the packets that one receive from the outside gave to super-packets, so that the kernel's
// stack is walked once per super-packet and not once per packet. Nothing is copied: a super-packet
// is a header, rewritten in place, and the payloads behind it as they lie in the arena.
#pragma once

#include <memory>
#include <span>

#include <sys/uio.h>

#include "routevpn/base/bytes.hpp"
#include "routevpn/inside/virtio_net.hpp"

namespace routevpn::inside {

// One write to the TUN device: pieces[0] is the virtio-net header.
struct SuperPacket {
  std::span<const iovec> pieces;
  std::uint32_t packets = 0;  // how many IP packets it carries
  std::uint32_t bytes = 0;    // of these packets, as they came
};

class Coalescer {
 public:
  Coalescer(std::size_t capacity_packets, bool udp_offload);
  ~Coalescer();
  Coalescer(const Coalescer&) = delete;
  Coalescer& operator=(const Coalescer&) = delete;

  // The super-packets for these IP packets. The order within a flow is kept; a packet that joins
  // with none goes as it is, byte for byte. segment() gives the same packets back, but for the
  // IPv4 id of packets that had DF set and all the same id: of those the id has no meaning
  // (RFC 6864 section 4.1). The bytes must stay where they are, and the result is good, until the
  // next call. Of more than capacity_packets packets the rest is left out. Every packet must have
  // passed ip_packet_verdict().
  std::span<const SuperPacket> join(std::span<const Bytes> packets);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether these bytes are one whole IPv4 or IPv6 packet: version, header length and total length
// agree with the number of bytes.
enum class IpVerdict : std::uint8_t { valid, not_ip, malformed };
IpVerdict ip_packet_verdict(ConstBytes packet);

}  // namespace routevpn::inside
