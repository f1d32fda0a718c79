// The two ends of a lane: its sockets in the public namespace and its queue of the interface in the
// private one.
#pragma once

#include <optional>

#include "routevpn/base/owned.hpp"
#include "routevpn/inside/tun.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

struct LaneEnds {
  // The second queue of the interface, for sparse inner flows.
  struct SparseQueue {
    inside::Tun tun;
    Fd steering;  // of inside::Steering: which flows the kernel sends to this queue
  };

  outside::UdpSocket socket;
  // Of the sparse flow. An acceptor's is bound to the same port and connected to the peer. None: it
  // could not be made; then an acceptor uses `socket` for both flows.
  std::optional<outside::UdpSocket> sparse;
  inside::Tun tun;  // at first only lane 0's queue is attached
  // Attached. None: the link has several lanes or no sparse socket, or the kernel refused the
  // steering. Then `tun` has all flows.
  std::optional<SparseQueue> sparse_queue = std::nullopt;
};

}  // namespace routevpn::datapath
