// The UDP socket: the outside of the link. Sends runs of equal datagrams with UDP_SEGMENT and
// receives them with UDP_GRO; unconnected, so that the peer may move and answers leave from the
// address the peer used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"
#include "routevpn/base/mtu.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::outside {

// Where datagrams go, and the local address they leave from (the one the peer used, or none yet:
// the kernel's choice). An address that is no longer ours, or has no route any more, is not
// insisted on.
struct Endpoint {
  SocketAddress remote;
  std::optional<IpAddress> local;
  auto operator<=>(const Endpoint&) const = default;
};

struct UdpOptions {
  std::optional<IpAddress> address;  // none: any, both families (IPv4 where the kernel has no IPv6)
  std::uint16_t port = 0;            // 0: any
  std::uint32_t mark = 0;            // SO_MARK, 0: none
  // For who was not asked at an address but chose its way himself: Endpoint::local is not heeded,
  // and when routes change, the source changes with them.
  bool routed_source = false;
};

// The most that a UDP datagram over IPv4 carries: 65507. The kernel holds a whole UDP_SEGMENT send
// to the same limit.
inline constexpr std::size_t max_datagram_bytes = 65535 - ipv4_header_bytes - udp_header_bytes;

// One receive: datagrams of segment_bytes one behind the other, the last possibly shorter.
struct Received {
  Bytes data;                     // empty for an empty datagram
  std::size_t segment_bytes = 0;  // at least 1
  Endpoint from;                  // its local address is none for what was sent to a group
  std::uint8_t ecn = 0;           // RFC 3168: 0..3
};

// News that a datagram was too big: from our own interface, or by an ICMP message that quotes one
// of ours, which is all that the kernel has checked of it.
struct TooBig {
  IpAddress to;
  unsigned mtu = 0;  // what would fit, bytes with IP header; 0 from some old routers
  bool by_own_interface = false;
};

enum class RecvResult : std::uint8_t { ok, would_block, failed };
enum class SendResult : std::uint8_t { ok, would_block, failed };

class UdpSocket {
 public:
  // In the calling thread's network namespace. Throws UsageError when the port is in use or the
  // address is not ours, SystemError otherwise.
  static UdpSocket open(const UdpOptions& options);
  UdpSocket(UdpSocket&&) noexcept;
  UdpSocket& operator=(UdpSocket&&) noexcept;
  ~UdpSocket();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] SocketAddress local() const;                 // as bound
  [[nodiscard]] bool segments() const { return segments_; }  // UDP_SEGMENT is in use

  // One receive into buffer (64 KiB for all that GRO may give; what does not fit is lost). ICMP
  // errors waiting on the socket are no failure. Never blocks.
  [[nodiscard]] RecvResult receive(Bytes buffer, Received& received) const;
  // Sends the datagrams of a run: all of segment_bytes (1..max_datagram_bytes) but the last, which
  // may be shorter, all with traffic_class, which is DSCP and ECN (RFC 2474, 3168), in the IP
  // header. `sent` tells how many bytes of it went, also when the result is not ok: would_block
  // leaves the rest to be sent later; failed leaves it too, and the first datagram of it is the one
  // refused: larger than the interface's MTU, no route, a firewall, no memory. Runs longer than the
  // kernel takes are split; a device that refuses UDP_SEGMENT turns it off. Never blocks.
  [[nodiscard]] SendResult send(ConstBytes run, std::size_t segment_bytes, const Endpoint& to,
                                std::size_t& sent, std::uint8_t traffic_class = 0);
  // Takes the errors that wait on the socket (poll() says POLLERR while there are any) and gives
  // the smallest MTU among them. Never blocks.
  [[nodiscard]] std::optional<TooBig> take_errors() const;
  // One datagram, any thread.
  [[nodiscard]] SendResult send_one(ConstBytes datagram, const Endpoint& to,
                                    std::uint8_t traffic_class = 0) const;

 private:
  UdpSocket(Fd fd, int family, bool routed_source);
  SendResult send_segmented(ConstBytes run, std::size_t segment_bytes, std::size_t& sent);
  SendResult send_singly(ConstBytes run, std::size_t segment_bytes, std::size_t datagrams,
                         std::size_t& sent) const;

  Fd fd_;
  int family_;
  bool routed_source_;
  bool segments_ = true;
  std::size_t segments_at_most_;
  std::unique_ptr<class Envelope> envelope_;  // of the last send(): rarely another's
};

// The MTU of the way to the remote address, in bytes with IP header; none when there is no route.
// In the calling thread's network namespace.
struct RouteMtu {
  unsigned now = 0;   // of the route, and what ICMP has told the kernel within 10 minutes
  unsigned most = 0;  // of the interface: what UdpSocket sends
};
std::optional<RouteMtu> route_mtu(const SocketAddress& remote, std::uint32_t mark);

}  // namespace routevpn::outside
