// The two ends of a lane: its sockets in the public namespace and its queue of the interface in the
// private one.
#pragma once

#include <optional>

#include "routevpn/inside/tun.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

struct LaneEnds {
  outside::UdpSocket socket;
  // Of the sparse flow. An acceptor's is bound to the same port and connected to the peer. None: it
  // could not be made; then an acceptor uses `socket` for both flows.
  std::optional<outside::UdpSocket> sparse;
  inside::Tun tun;  // at first only lane 0's queue is attached
};

}  // namespace routevpn::datapath
