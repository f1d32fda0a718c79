// The network interfaces of this process's namespace, for the map: whether the site is connected.
#pragma once

#include <string>
#include <vector>

namespace routevpn::exporter {

struct InterfaceReport {
  std::string name;
  bool is_running = false;  // it is up and has its carrier (RFC 2863: operational state up)
};

// Without lo. Empty when the system does not tell, as to a process that makes UNIX sockets alone.
std::vector<InterfaceReport> interfaces();

}  // namespace routevpn::exporter
