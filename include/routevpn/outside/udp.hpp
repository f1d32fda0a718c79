// The UDP socket, the outside of the link. It sends a run, which is datagrams of equal length, with
// UDP_SEGMENT and receives runs with UDP_GRO. It is not connected, so that the peer may roam and
// replies have the source address that the peer used. Its sources are named after its stages:
// udp_open, udp_send, udp_receive and udp_errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"
#include "routevpn/base/mtu.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/outside/route_mtu.hpp"  // IWYU pragma: export

namespace routevpn::outside {

// The peer's address, and the local address that the peer used. Without a local address, or when
// this host no longer has it or no route from it, the routing table chooses the source address.
struct Endpoint {
  SocketAddress remote;
  std::optional<IpAddress> local;
  auto operator<=>(const Endpoint&) const = default;

  template <typename Io>
  friend void fields(Io& io, Endpoint& endpoint) {
    io(endpoint.remote, endpoint.local);
  }
};

struct UdpOptions {
  std::optional<IpAddress> address;  // none: any, both families (IPv4 where the kernel has no IPv6)
  std::uint16_t port = 0;            // 0: any
  std::uint32_t mark = 0;            // SO_MARK, 0: none
  // For an initiator: the routing table chooses the source address and Endpoint::local is not used,
  // so the source follows a change of routes. An acceptor replies from the address that the peer
  // used.
  bool routed_source = false;
};

// The most that a UDP datagram over IPv4 carries: 65507. The kernel holds a whole UDP_SEGMENT send
// to the same limit.
inline constexpr std::size_t max_datagram_bytes = 65535 - ipv4_header_bytes - udp_header_bytes;

// One receive: consecutive datagrams of segment_bytes; the last may be shorter.
struct Received {
  Bytes data;                     // empty for an empty datagram
  std::size_t segment_bytes = 0;  // at least 1
  Endpoint from;                  // without local address if that was a multicast address
  std::uint8_t ecn = 0;           // RFC 3168: 0..3
};

// A datagram exceeded the MTU of our own interface, or a router reported so by ICMP. Such a report
// is a hint: the kernel only checks that it quotes a datagram of this socket.
struct TooBig {
  IpAddress to;
  unsigned mtu = 0;  // in bytes with IP header; 0 from some old routers
  bool by_own_interface = false;
};

// The network or this host could not deliver a datagram. As with TooBig, the kernel only checks
// that an ICMP error quotes a datagram of this socket.
struct Undelivered {
  SocketAddress to;
  // errno: ECONNREFUSED for a port on which nobody listens, EHOSTUNREACH, ENETUNREACH, EPERM, ...
  int error = 0;
  std::optional<IpAddress> reporter;  // the sender of the ICMP error; none: this host did not send
  bool prohibited = false;            // the reporter's rules forbid it
};

struct SocketErrors {
  std::optional<TooBig> too_big;           // the one with the smallest MTU
  std::optional<Undelivered> undelivered;  // the last one
};

enum class RecvResult : std::uint8_t { ok, would_block, failed };
enum class SendResult : std::uint8_t { ok, would_block, failed };

class UdpSocket {
 public:
  // Opens in the calling thread's network namespace. Throws BusyError when the port is in use,
  // UsageError when this host does not have the address, SystemError for other failures.
  static UdpSocket open(const UdpOptions& options);
  // Takes a socket that another process has opened. `family`: family() of that UdpSocket;
  // `routed_source`: of its UdpOptions.
  static UdpSocket adopt(Fd fd, int family, bool routed_source);
  // Another socket on the address and port of `first`, whose options were these. It receives
  // nothing until connect_to(), and then what comes from there. Sockets of other users cannot share
  // the port. While a namespace has neither a loopback interface nor a default route, a socket that
  // is bound to every address and has no peer shares what comes with `first`. Throws SystemError,
  // also in a VRF.
  static UdpSocket open_beside(const UdpSocket& first, const UdpOptions& options);
  // As adopt(), for a socket of open_beside().
  static UdpSocket adopt_beside(Fd fd, int family);
  UdpSocket(UdpSocket&&) noexcept;
  UdpSocket& operator=(UdpSocket&&) noexcept;
  ~UdpSocket();

  [[nodiscard]] int fd() const { return fd_.get(); }
  // AF_INET, or AF_INET6 for a socket of IPv6 or of both families.
  [[nodiscard]] int family() const { return family_; }
  // Undoes what another process with a copy of the descriptor may have done: connect(2), and a
  // datagram held back by UDP_CORK or MSG_MORE. A connected socket whose port the kernel has chosen
  // gets another port.
  void restore() const;
  // Of a socket of open_beside(). connect_to() receives from this address alone from now on;
  // between the old address and the new one, datagrams from others can come, too. False: there is
  // no route. A socket that is bound to every address receives only what comes to the address that
  // the routing table gives as the source.
  [[nodiscard]] bool connect_to(const SocketAddress& peer) const;
  void receive_nothing() const;
  [[nodiscard]] SocketAddress local() const;                 // as bound
  [[nodiscard]] bool segments() const { return segments_; }  // UDP_SEGMENT is in use

  // One receive. GRO returns up to 64 KiB; what does not fit into `buffer` is lost. ICMP errors
  // that wait on the socket are not failures. Never blocks.
  [[nodiscard]] RecvResult receive(Bytes buffer, Received& received) const;
  // Sends a run: datagrams of segment_bytes (1..max_datagram_bytes), of which the last may be
  // shorter. `traffic_class`: DSCP and ECN (RFC 2474, RFC 3168) of the IP headers. `sent` is the
  // number of bytes sent, also for a result other than ok. would_block: the rest can be sent later.
  // failed: the kernel refused the first unsent datagram (interface MTU, no route, firewall, no
  // memory). A run longer than the kernel's limit is split. A device that refuses UDP_SEGMENT turns
  // it off. Never blocks.
  [[nodiscard]] SendResult send(ConstBytes run, std::size_t segment_bytes, const Endpoint& to,
                                std::size_t& sent, std::uint8_t traffic_class = 0);
  // Reads the errors that wait on the socket (poll() reports POLLERR while there are any). Never
  // blocks.
  [[nodiscard]] SocketErrors take_errors() const;
  // Sends one datagram. Any thread may call it. Failed: errno tells why.
  [[nodiscard]] SendResult send_one(ConstBytes datagram, const Endpoint& to,
                                    std::uint8_t traffic_class = 0) const;

 private:
  UdpSocket(Fd fd, int family, bool routed_source);
  void disconnect() const;
  SendResult send_segmented(ConstBytes run, std::size_t segment_bytes, std::size_t& sent);
  SendResult send_singly(ConstBytes run, std::size_t segment_bytes, std::size_t datagrams,
                         std::size_t& sent) const;

  Fd fd_;
  int family_;
  bool routed_source_;
  // A connected socket has the source of its connection, which this host may not have any more.
  bool may_change_source_ = true;
  bool segments_ = true;
  std::size_t max_segments_ = 128;  // UDP_MAX_SEGMENTS from Linux 6.9 on; send() falls back to 64
  std::unique_ptr<class MessageHeader> header_;  // of the last send(): the next is mostly equal
};

}  // namespace routevpn::outside
