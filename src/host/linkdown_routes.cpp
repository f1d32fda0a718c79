#include "routevpn/host/linkdown_routes.hpp"

#include <unistd.h>

#include "routevpn/base/error.hpp"

#include "sysctl.hpp"

namespace routevpn::host {

LinkdownRoutes::LinkdownRoutes(const std::string& ifname) : ifname_(ifname) {
  for (const char* const family : {"ipv4", "ipv6"}) {
    const std::string path =
        std::string(family) + "/conf/" + ifname + "/ignore_routes_with_linkdown";
    // A kernel without IPv6, or an mtu too small for it.
    if (read_sysctl(path)) switches_.push_back(open_sysctl(path));
  }
}

void LinkdownRoutes::ignore() {
  for (const Fd& one : switches_) {
    if (::write(one.get(), "1", 1) < 0) {
      throw system_error("interface " + ifname_ + ": ignore_routes_with_linkdown");
    }
  }
  switches_.clear();
}

}  // namespace routevpn::host
