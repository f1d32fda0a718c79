#include "routevpn/host/linkdown_routes.hpp"

#include <unistd.h>

#include "routevpn/base/error.hpp"

#include "sysctl.hpp"

namespace routevpn::host {

LinkdownRoutes::LinkdownRoutes(const std::string& ifname) : ifname_(ifname) {
  for (const char* const family : {"ipv4", "ipv6"}) {
    const std::string path =
        std::string(family) + "/conf/" + ifname + "/ignore_routes_with_linkdown";
    // Absent if the kernel has no IPv6 or the MTU is too small for it.
    if (read_sysctl(path)) sysctls_.push_back(open_sysctl(path));
  }
}

void LinkdownRoutes::ignore() {
  for (const Fd& sysctl : sysctls_) {
    if (::write(sysctl.get(), "1", 1) < 0) {
      throw system_error("interface " + ifname_ + ": ignore_routes_with_linkdown");
    }
  }
  sysctls_.clear();
}

}  // namespace routevpn::host
