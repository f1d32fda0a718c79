// The network interfaces and addresses of this process's namespace, for the map.
#pragma once

#include <string>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::exporter {

struct InterfaceReport {
  std::string name;
  bool is_running = false;  // IFF_RUNNING, netdevice(7): it is up and has its carrier
};

// Both are empty when the process may not ask the kernel: the usual unit allows it UNIX sockets
// alone.
std::vector<InterfaceReport> interfaces();  // without lo
std::vector<IpAddress> own_addresses();

}  // namespace routevpn::exporter
