// Fallback for the link's routes in the table of --table with --fwmark: an "unreachable" route with
// the worst metric for each prefix. While the carrier is off the kernel skips the link's routes.
// Without the fallback, packets that must be encrypted would take the default route of the next
// rule and leave in clear. The routes belong to no interface, so nothing else removes them.
#pragma once

#include <cstdint>
#include <vector>

#include "routevpn/base/address.hpp"

#include "netlink_socket.hpp"

namespace routevpn::host {

// In the namespace of `additions`. Throws UsageError if such a route exists, SystemError otherwise.
void add_backstop_routes(Additions& additions, std::uint32_t table,
                         const std::vector<IpPrefix>& prefixes);

}  // namespace routevpn::host
