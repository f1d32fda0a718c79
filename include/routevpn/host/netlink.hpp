// The interface's addresses, MTU and routes, by rtnetlink in the namespace the calling thread was
// in when this was made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::host {

struct InterfaceSetup {
  std::string name;
  unsigned mtu = 0;  // bytes
  std::vector<IpPrefix> addresses;
  std::vector<IpPrefix> routes;
  std::uint32_t table = 0;  // 0: main
};

class Netlink {
 public:
  Netlink();  // throws SystemError
  ~Netlink();
  Netlink(Netlink&&) noexcept;
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;

  // MTU, no link-local address of the kernel's own, no router advertisements, addresses,
  // administratively up, routes; in this order. The calling thread must be in the namespace. From
  // then on a change of carrier shows in `ip monitor` as that of the link and as nothing else.
  // Throws UsageError for an address or route the kernel refuses, SystemError otherwise.
  void set_up(const InterfaceSetup& setup);
  // From any namespace. Below 1280 the kernel takes IPv6 off the interface, with its addresses and
  // settings, and does not give them back. Throws SystemError.
  void set_mtu(const std::string& name, unsigned mtu);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace routevpn::host
