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

class BackstopRoutes {
 public:
  // In the calling thread's namespace. Throws UsageError if such a route exists, SystemError
  // otherwise; then none of the routes remains.
  BackstopRoutes(std::uint32_t table, const std::vector<IpPrefix>& prefixes);
  ~BackstopRoutes();
  BackstopRoutes(const BackstopRoutes&) = delete;
  BackstopRoutes& operator=(const BackstopRoutes&) = delete;

 private:
  void remove_all();

  NetlinkSocket socket_;
  std::uint32_t table_;
  std::vector<IpPrefix> added_;
};

}  // namespace routevpn::host
