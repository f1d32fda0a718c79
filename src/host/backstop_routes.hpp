// What stands behind the link's routes in a table of --table with --fwmark: "unreachable" for the
// same prefixes, at the worst metric. While the carrier is off the kernel passes over the link's
// routes; without these, what was to be encrypted would find the next rule's default route and
// leave in clear. They belong to no interface, so they must be removed by hand.
#pragma once

#include <cstdint>
#include <vector>

#include "routevpn/base/address.hpp"

#include "netlink_socket.hpp"

namespace routevpn::host {

class BackstopRoutes {
 public:
  // In the calling thread's namespace. Throws UsageError when such a route is there already,
  // SystemError otherwise; none of them is then left behind.
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
