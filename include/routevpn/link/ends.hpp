// The two ends of a link on this machine: the sockets in the public namespace, the interface in the
// private one, and what must be undone when they go.
#pragma once

#include <optional>
#include <vector>

#include "routevpn/host/guardian.hpp"
#include "routevpn/host/linkdown_routes.hpp"
#include "routevpn/host/netlink.hpp"
#include "routevpn/host/netns.hpp"
#include "routevpn/inside/tun.hpp"
#include "routevpn/options/link_options.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::link {

struct LaneEnds {
  outside::UdpSocket socket;
  inside::Tun tun;  // a queue of the interface; of several only the first is attached
};

struct Ends {
  host::Netns public_netns;
  host::Netns private_netns;
  std::vector<LaneEnds> lanes;  // one at least
  host::Netlink netlink;        // in the private namespace
  host::LinkdownRoutes linkdown_routes;
  unsigned mtu;  // of the interface, bytes
  std::optional<host::Guardian> guardian;
};

// Whether the interface is to carry IPv4, or IPv6.
bool has_family(const options::LinkOptions& options, bool v4);

// Outside first, then inside. Throws what its parts throw; what was there is then undone. Call
// before any thread is started.
Ends open_ends(const options::LinkOptions& options);

}  // namespace routevpn::link
