// Records the events that `ip monitor all` would show, from construction on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <linux/netlink.h>

#include "routevpn/base/owned.hpp"

namespace routevpn::host {

class LinkMonitor {
 public:
  LinkMonitor();  // in the calling thread's namespace

  // Read until the interface is announced with this carrier or MTU; false after 5 s without
  // messages.
  [[nodiscard]] bool saw_carrier(const std::string& ifname, bool on);
  [[nodiscard]] bool saw_mtu(const std::string& ifname, unsigned mtu);
  // The netlink types of all messages read so far.
  [[nodiscard]] const std::vector<int>& types() const { return types_; }

 private:
  // Reads until `last` is true of a message; false after 5 s without messages.
  bool read_until(const std::function<bool(nlmsghdr*)>& last);

  Fd socket_;
  std::vector<int> types_;
};

}  // namespace routevpn::host
