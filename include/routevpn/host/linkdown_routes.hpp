// What the kernel does with routes through an interface that has no carrier: at first it follows
// them, and what is sent there is lost without a word; from ignore() on it passes over them and
// over their ECMP next hops, so that other routes serve, or a sender hears "unreachable" at once.
#pragma once

#include <string>
#include <vector>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

class LinkdownRoutes {
 public:
  // Of an interface in the namespace the calling thread is in. Throws SystemError.
  explicit LinkdownRoutes(const std::string& ifname);
  // From any namespace, with CAP_NET_ADMIN. Once is enough, more do no harm. Throws SystemError.
  void ignore();

 private:
  std::string ifname_;
  std::vector<Fd> switches_;  // one a family
};

}  // namespace routevpn::host
