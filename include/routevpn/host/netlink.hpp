// Sets an interface's addresses, MTU and routes by rtnetlink, in the namespace of the thread that
// constructed the object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::host {

class NetlinkSocket;

struct InterfaceSetup {
  std::string name;
  unsigned mtu = 0;            // bytes
  unsigned queue_packets = 0;  // 0: the kernel's default, 500 for a TUN device
  std::vector<IpPrefix> addresses;
  std::vector<IpPrefix> routes;
  std::uint32_t table = 0;  // 0: main
  bool has_queues = false;  // the interface is a shared inside::Tun
};

class Netlink {
 public:
  Netlink();  // throws SystemError
  ~Netlink();
  Netlink(Netlink&&) noexcept;

  // In this order: MTU, length of the queues, no link-local address by the kernel, no router
  // advertisements, addresses, no queueing discipline if it has queues, administratively up,
  // routes. The calling thread must be in the namespace. Afterwards a change of carrier appears in
  // `ip monitor` as a change of the link only. Throws UsageError for an address or route that the
  // kernel refuses, SystemError otherwise.
  void set_up(const InterfaceSetup& setup);
  // From any namespace. Below 1280 bytes the kernel removes IPv6 from the interface for good, with
  // its addresses and settings. Throws SystemError.
  void set_mtu(const std::string& name, unsigned mtu);

 private:
  std::unique_ptr<NetlinkSocket> socket_;
};

}  // namespace routevpn::host
