#include "routevpn/exporter/interfaces.hpp"

#include <cstring>

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "routevpn/base/owned.hpp"

namespace routevpn::exporter {

namespace {

using Entries = Owned<ifaddrs, freeifaddrs>;

Entries entries() {
  ifaddrs* first = nullptr;
  return Entries(getifaddrs(&first) == 0 ? first : nullptr);
}

}  // namespace

std::vector<InterfaceReport> interfaces() {
  const auto all = entries();
  std::vector<InterfaceReport> found;
  for (const auto* entry = all.get(); entry != nullptr; entry = entry->ifa_next) {
    // One entry of each interface is of this family; the others have its addresses. An interface
    // such as TUN has no link-layer address, and an entry without one.
    const bool is_interface = entry->ifa_addr == nullptr || entry->ifa_addr->sa_family == AF_PACKET;
    if (!is_interface || (entry->ifa_flags & IFF_LOOPBACK) != 0) continue;
    found.push_back({entry->ifa_name, (entry->ifa_flags & IFF_RUNNING) != 0});
  }
  return found;
}

std::vector<IpAddress> own_addresses() {
  const auto all = entries();
  std::vector<IpAddress> found;
  for (const auto* entry = all.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr) continue;
    const auto family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, entry->ifa_addr,
                family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    found.push_back(SocketAddress::from_kernel(storage).address);
  }
  return found;
}

}  // namespace routevpn::exporter
