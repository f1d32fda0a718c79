#include "routevpn/host/netlink.hpp"

#include <cerrno>

#include <linux/if_addr.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/log.hpp"
#include "routevpn/base/mtu.hpp"

#include "netlink_socket.hpp"
#include "sysctl.hpp"

namespace routevpn::host {

namespace {

constexpr std::uint32_t addrconf_metric = 256;  // IP6_RT_PRIO_ADDRCONF of net/ip6_route.h

struct RouteSpec {
  IpPrefix prefix;
  std::uint32_t table = RT_TABLE_MAIN;
  std::uint8_t protocol = RTPROT_STATIC;
  std::uint8_t type = RTN_UNICAST;
  std::uint32_t metric = 0;  // 0: the kernel's default
};

std::string disable_ipv6(const std::string& name) {
  return "ipv6/conf/" + name + "/disable_ipv6";
}

// UsageError if the user's address or route is the fault, SystemError otherwise.
[[noreturn]] void refuse(const std::string& what, const KernelAnswer& answer) {
  switch (answer.error_number) {
    case EEXIST:
      throw UsageError(what + " already exists");
    case EPERM:
    case ENODEV:
    case ENOMEM:
    case ENOBUFS:
      throw SystemError(what + ": " + answer.reason);
    default:
      throw UsageError(what + " is refused by the kernel: " + answer.reason);
  }
}

void disable_autoconfiguration(const std::string& name) {
  const std::string ipv6 = "ipv6/conf/" + name;
  // Absent if the kernel has no IPv6 or the MTU is too small for it.
  if (!read_sysctl(disable_ipv6(name))) return;
  write_sysctl(ipv6 + "/addr_gen_mode", "1");  // IN6_ADDR_GEN_MODE_NONE
  // The peer sends no router advertisements. Without this the kernel would solicit them.
  write_sysctl(ipv6 + "/accept_ra", "0");
}

// The kernel's own error would be only "Permission denied" or "Invalid argument".
void check_ipv6_possible(const InterfaceSetup& setup, const IpPrefix& address) {
  const std::string what = "address " + address.to_string();
  if (setup.mtu < ipv6_minimum_mtu) {
    throw UsageError(what + ": IPv6 needs an mtu of " + std::to_string(ipv6_minimum_mtu) +
                     " at least, not " + std::to_string(setup.mtu));
  }
  const auto disabled = read_sysctl(disable_ipv6(setup.name));
  if (!disabled) throw UsageError(what + ": this kernel has no IPv6");
  if (*disabled != "0") {
    throw UsageError(what + ": IPv6 is switched off in this network namespace " +
                     "(net.ipv6.conf.all.disable_ipv6 or net.ipv6.conf.default.disable_ipv6)");
  }
}

// A change of the interface of this name.
NlMessage link_request(const std::string& name, const ifinfomsg& header) {
  NlMessage request = new_message(RTM_SETLINK, 0, &header, sizeof header);
  put(request, IFLA_IFNAME, name.c_str(), name.size() + 1);
  return request;
}

// An interface with queues has 256 for sending, whatever number of them is attached. Without this,
// the kernel gives each of the 256 a discipline when the interface goes up: pfifo_fast with 3 bands
// of pointers, for 1000 packets 24 KiB, so 6 MiB in all. A discipline has no effect on a TUN
// device: the device takes every packet at once, and drops it if its own queue is full.
void set_no_queueing(unsigned ifindex, NetlinkSocket& socket) {
  constexpr char kind[] = "noqueue";
  tcmsg header{};
  header.tcm_ifindex = static_cast<int>(ifindex);
  header.tcm_parent = TC_H_ROOT;
  const NlMessage request =
      new_message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  put(request, TCA_KIND, kind, sizeof kind);
  if (const auto answer = socket.ask(request); !answer) {
    log_info("the interface has a queueing discipline for each of its queues",
             {{"error", answer.reason}});
  }
}

void set_queue_packets(const std::string& name, std::uint32_t packets, NetlinkSocket& socket) {
  const NlMessage request = link_request(name, {});
  put(request, IFLA_TXQLEN, packets);
  if (const auto answer = socket.ask(request); !answer) {
    throw SystemError("interface " + name + ": txqueuelen " + std::to_string(packets) + ": " +
                      answer.reason);
  }
}

void bring_up(const std::string& name, NetlinkSocket& socket) {
  ifinfomsg header{};
  header.ifi_flags = header.ifi_change = IFF_UP;
  if (const auto answer = socket.ask(link_request(name, header)); !answer) {
    throw SystemError("interface " + name + ": up: " + answer.reason);
  }
}

NlMessage address_request(unsigned ifindex, const IpPrefix& prefix) {
  ifaddrmsg header{};
  header.ifa_family = static_cast<std::uint8_t>(prefix.address.family());
  header.ifa_prefixlen = static_cast<std::uint8_t>(prefix.length);
  // Duplicate address detection needs a carrier, and the peer is the only neighbour.
  header.ifa_flags = prefix.address.is_v4() ? 0 : IFA_F_NODAD;
  header.ifa_index = ifindex;
  NlMessage request = new_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  put(request, IFA_LOCAL, prefix.address);
  put(request, IFA_ADDRESS, prefix.address);
  return request;
}

NlMessage route_request(unsigned ifindex, const RouteSpec& spec) {
  const IpPrefix network = spec.prefix.network();
  rtmsg header{};
  header.rtm_family = static_cast<std::uint8_t>(network.address.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(network.length);
  header.rtm_protocol = spec.protocol;
  header.rtm_scope = network.address.is_v4() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.rtm_type = spec.type;
  NlMessage request = new_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
  put(request, RTA_DST, network.address);
  put(request, RTA_TABLE, spec.table);
  put(request, RTA_OIF, ifindex);
  if (spec.metric != 0) put(request, RTA_PRIORITY, spec.metric);
  return request;
}

// The kernel adds and announces this route when the carrier is first switched on, unless it
// exists. Adding it here leaves the change of the link as the only event of a carrier change.
void add_multicast_route(unsigned ifindex, NetlinkSocket& socket) {
  static const IpPrefix all_multicast = IpPrefix::parse("ff00::/8").value();
  const auto answer = socket.ask(route_request(ifindex, {.prefix = all_multicast,
                                                         .table = RT_TABLE_LOCAL,
                                                         .protocol = RTPROT_KERNEL,
                                                         .type = RTN_MULTICAST,
                                                         .metric = addrconf_metric}));
  if (!answer && answer.error_number != EEXIST) {
    throw SystemError("route " + all_multicast.to_string() + ": " + answer.reason);
  }
}

}  // namespace

Netlink::Netlink() : socket_(std::make_unique<NetlinkSocket>(NETLINK_ROUTE)) {}
Netlink::~Netlink() = default;
Netlink::Netlink(Netlink&&) noexcept = default;

void Netlink::set_up(const InterfaceSetup& setup) {
  set_mtu(setup.name, setup.mtu);
  if (setup.queue_packets != 0) set_queue_packets(setup.name, setup.queue_packets, *socket_);
  const unsigned ifindex = if_nametoindex(setup.name.c_str());
  disable_autoconfiguration(setup.name);
  for (const IpPrefix& address : setup.addresses) {
    if (!address.address.is_v4()) check_ipv6_possible(setup, address);
    const auto answer = socket_->ask(address_request(ifindex, address));
    if (!answer) refuse("address " + address.to_string(), answer);
  }
  if (setup.has_queues) set_no_queueing(ifindex, *socket_);
  bring_up(setup.name, *socket_);
  if (read_sysctl(disable_ipv6(setup.name)) == "0") add_multicast_route(ifindex, *socket_);
  const std::uint32_t table = setup.table == 0 ? RT_TABLE_MAIN : setup.table;
  for (const IpPrefix& prefix : setup.routes) {
    const auto answer = socket_->ask(route_request(ifindex, {.prefix = prefix, .table = table}));
    if (!answer) refuse("route " + prefix.to_string(), answer);
  }
}

void Netlink::set_mtu(const std::string& name, unsigned mtu) {
  const NlMessage request = link_request(name, {});
  put(request, IFLA_MTU, mtu);
  if (const auto answer = socket_->ask(request); !answer) {
    throw SystemError("interface " + name + ": mtu " + std::to_string(mtu) + ": " + answer.reason);
  }
}

}  // namespace routevpn::host
