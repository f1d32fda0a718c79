#include "routevpn/exporter/interfaces.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

#include "routevpn/base/owned.hpp"

namespace routevpn::exporter {

std::vector<InterfaceReport> interfaces() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return {};
  const Owned<ifaddrs, freeifaddrs> all(first);
  std::vector<InterfaceReport> found;
  for (const auto* entry = first; entry != nullptr; entry = entry->ifa_next) {
    // One entry of each interface is of this family; the others have its addresses. An interface
    // such as TUN has no link-layer address, and an entry without one.
    const bool is_interface = entry->ifa_addr == nullptr || entry->ifa_addr->sa_family == AF_PACKET;
    if (!is_interface || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    found.push_back({entry->ifa_name, (entry->ifa_flags & IFF_RUNNING) != 0});
  }
  return found;
}

}  // namespace routevpn::exporter
