// Routes through an interface without carrier. By default the kernel follows them and drops the
// packets silently. After ignore() it skips these routes and ECMP next hops, so that other routes
// are used or the sender gets "unreachable" at once.
#pragma once

#include <string>
#include <vector>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

class LinkdownRoutes {
 public:
  // Of an interface in the calling thread's namespace. Throws SystemError.
  explicit LinkdownRoutes(const std::string& ifname);
  // From any namespace, with CAP_NET_ADMIN. Later calls do nothing. Throws SystemError.
  void ignore();

 private:
  std::string ifname_;
  std::vector<Fd> sysctls_;  // one per family
};

}  // namespace routevpn::host
