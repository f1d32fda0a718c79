// The two ends of a link on this machine: the sockets in the public namespace and the interface in
// the private one, with the guardian that undoes routes, rules and NAT.
#pragma once

#include <exception>
#include <optional>
#include <vector>

#include "routevpn/host/guardian.hpp"
#include "routevpn/host/linkdown_routes.hpp"
#include "routevpn/host/netlink.hpp"
#include "routevpn/host/netns.hpp"
#include "routevpn/inside/carrier.hpp"
#include "routevpn/inside/tun.hpp"
#include "routevpn/options/link_options.hpp"
#include "routevpn/outside/udp.hpp"

namespace routevpn::link {

struct LaneEnds {
  outside::UdpSocket socket;
  inside::Tun tun;  // one queue of the interface; at first only lane 0's is attached
};

// What is made before credentials are read.
struct EarlyEnds {
  std::optional<host::Netns> public_netns;
  std::optional<host::Netns> private_netns;
  std::optional<host::Guardian> guardian;  // its process has no copy of the private key
  std::exception_ptr failure;  // open_ends() throws it, so errors of credentials come first
};

struct Ends {
  host::Netns public_netns;
  host::Netns private_netns;
  std::vector<LaneEnds> lanes;      // at least one
  outside::RouteProbe route_probe;  // in the public namespace
  host::Netlink netlink;            // in the private namespace
  host::LinkdownRoutes linkdown_routes;
  unsigned mtu;  // of the interface, bytes
  std::optional<host::Guardian> guardian;
  // The last member, because the interface ends before the guardian undoes rules and NAT.
  inside::Carrier carrier;
};

// Whether the interface carries IPv4 (v4) or IPv6: it has an address or a route of that family.
bool has_family(const options::LinkOptions& options, bool v4);

// Opens the namespaces and forks the guardian. Call before any thread is started.
EarlyEnds open_early_ends(const options::LinkOptions& options);
// Opens the sockets, makes the interface, and lets the guardian begin. Throws UsageError or
// SystemError; everything made before is undone.
Ends open_ends(const options::LinkOptions& options, EarlyEnds early);

}  // namespace routevpn::link
