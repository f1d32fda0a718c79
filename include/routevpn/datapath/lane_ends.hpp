// The two ends of a lane: its socket in the public namespace and its queue of the interface in the
// private one.
#pragma once

#include "routevpn/inside/tun.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::datapath {

struct LaneEnds {
  outside::UdpSocket socket;
  inside::Tun tun;  // at first only lane 0's queue is attached
};

}  // namespace routevpn::datapath
