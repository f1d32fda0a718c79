// The two ends of a link on this machine: the sockets in the public namespace and the interface in
// the private one, with the guardian that undoes routes, rules and NAT.
#pragma once

#include <exception>
#include <optional>
#include <vector>

#include "routevpn/datapath/lane_ends.hpp"
#include "routevpn/host/guardian.hpp"
#include "routevpn/host/linkdown_routes.hpp"
#include "routevpn/host/netlink.hpp"
#include "routevpn/host/netns.hpp"
#include "routevpn/host/refused_sources.hpp"
#include "routevpn/inside/carrier.hpp"
#include "routevpn/options/link_options.hpp"
#include "routevpn/outside/route_mtu.hpp"

namespace routevpn::monitor {

// What is made before credentials are read.
struct EarlyEnds {
  std::optional<host::Netns> worker_netns;
  std::optional<host::Netns> public_netns;
  std::optional<host::Netns> private_netns;
  std::optional<host::Guardian> guardian;  // its process has no copy of the private key
  std::exception_ptr failure;  // open_ends() throws it, so errors of credentials come first
};

struct Ends {
  // The namespace in which the monitor was started, if standard input is another: it has no
  // interface but lo. None: the worker stays in public_netns.
  std::optional<host::Netns> worker_netns;
  host::Netns public_netns;
  host::Netns private_netns;
  // Before the lanes, because the interface must end before the guardian undoes rules and NAT.
  std::optional<host::Guardian> guardian;
  std::vector<datapath::LaneEnds> lanes;  // at least one
  outside::RouteProbe route_probe;        // in the public namespace
  host::Netlink netlink;                  // in the private namespace
  host::LinkdownRoutes linkdown_routes;
  inside::Carrier carrier;
  std::optional<host::RefusedSources> refused_sources;  // none without --accept routed
  unsigned mtu;                                         // of the interface, bytes
  bool accepts;                                         // the role of this end

  // For a new worker: lane 0's queue is attached and has all flows, that of sparse flows is
  // attached too, and the others are not; sockets have no peer.
  void reset() const;
  void restore_sockets() const;
};

class KeptLink;

// Opens the namespaces and forks the guardian, or takes that of `kept`. A kept link that does not
// fit is discarded, and `kept` is none then. Call before any thread is started.
EarlyEnds open_early_ends(const options::LinkOptions& options, std::optional<KeptLink>& kept);
// Opens the sockets, makes the interface, and lets the guardian begin. Throws UsageError or
// SystemError; everything made before is undone.
Ends open_ends(const options::LinkOptions& options, EarlyEnds early);
// The same, but takes sockets and interface of `kept` as they are.
Ends take_ends(const options::LinkOptions& options, EarlyEnds early, KeptLink& kept);

}  // namespace routevpn::monitor
