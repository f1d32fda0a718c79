// Why a link is not up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "routevpn/base/address.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::session {

// Why the link is in its phase: a fixed word for machines and a line for people.
struct Reason {
  std::string word;  // starting, connected, silence, peer_closed, ...
  std::string text;

  template <typename Io>
  friend void fields(Io& io, Reason& reason) {
    io(reason.word, reason.text);
  }
};

// A failed attempt. An acceptor has only the attempts of others.
struct Failure {
  Reason reason;
  std::optional<SocketAddress> peer;
  Time at{};
  std::uint64_t times = 0;  // one after the other, with the same word and address

  template <typename Io>
  friend void fields(Io& io, Failure& failure) {
    io(failure.reason, failure.peer, failure.at, failure.times);
  }
};

// Why datagrams to a peer have no answer. The words:
//
//   port_unreachable   the peer's host has no link there (ICMP port unreachable)
//   prohibited         a firewall on the path refuses the datagrams (ICMP)
//   host_unreachable   a router, or this host, does not reach the peer's host (ICMP)
//   net_unreachable    a router has no route (ICMP)
//   no_route           this host has no route
//   local_firewall     a rule of this host drops what the link sends (EPERM)
//   send_failed        another error of the kernel
Reason reason_of(const outside::Undelivered& report);

}  // namespace routevpn::session
