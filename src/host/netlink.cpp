#include "routevpn/host/netlink.hpp"

#include <cerrno>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/mtu.hpp"

#include "netlink_socket.hpp"
#include "sysctl.hpp"

namespace routevpn::host {

namespace {

using Link = Owned<rtnl_link, rtnl_link_put>;
using Address = Owned<rtnl_addr, rtnl_addr_put>;
using Route = Owned<rtnl_route, rtnl_route_put>;
using NlAddress = Owned<nl_addr, nl_addr_put>;

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

template <typename Handle>
Handle allocated(Handle handle) {
  if (!handle) throw SystemError("netlink: out of memory");
  return handle;
}

NlAddress to_libnl(const IpPrefix& prefix) {
  const IpAddress& address = prefix.address;
  auto result = allocated(
      NlAddress(nl_addr_build(address.family(), address.bytes().data(), address.bits() / 8)));
  nl_addr_set_prefixlen(result.get(), static_cast<int>(prefix.length));
  return result;
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

}  // namespace

struct Netlink::State {
  NetlinkSocket socket{NETLINK_ROUTE};

  Link find(const std::string& name) {
    rtnl_link* found = nullptr;
    const int result = rtnl_link_get_kernel(socket.get(), 0, name.c_str(), &found);
    if (result < 0) throw SystemError("interface " + name + ": " + nl_geterror(result));
    return Link(found);
  }

  // `build` makes the request and returns libnl's error number.
  template <typename Build>
  KernelAnswer ask(const std::string& what, Build build) {
    nl_msg* request = nullptr;
    const int result = build(&request);
    if (result < 0) throw SystemError(what + ": " + nl_geterror(result));
    return socket.ask(NlMessage(request));
  }

  void change(const Link& link, const Link& wanted, const std::string& setting) {
    const std::string what =
        std::string("interface ") + rtnl_link_get_name(link.get()) + ": " + setting;
    const auto answer = ask(what, [&](nl_msg** request) {
      return rtnl_link_build_change_request(link.get(), wanted.get(), 0, request);
    });
    if (!answer) throw SystemError(what + ": " + answer.reason);
  }

  void set_mtu(const Link& link, unsigned mtu) {
    const auto wanted = allocated(Link(rtnl_link_alloc()));
    rtnl_link_set_mtu(wanted.get(), mtu);
    change(link, wanted, "mtu " + std::to_string(mtu));
  }

  void bring_up(const Link& link) {
    const auto wanted = allocated(Link(rtnl_link_alloc()));
    rtnl_link_set_flags(wanted.get(), IFF_UP);
    change(link, wanted, "up");
  }

  void add_address(int ifindex, const IpPrefix& prefix) {
    const std::string what = "address " + prefix.to_string();
    const auto address = allocated(Address(rtnl_addr_alloc()));
    rtnl_addr_set_ifindex(address.get(), ifindex);
    rtnl_addr_set_local(address.get(), to_libnl(prefix).get());
    // Duplicate address detection needs a carrier, and the peer is the only neighbour.
    if (!prefix.address.is_v4()) rtnl_addr_set_flags(address.get(), IFA_F_NODAD);
    const auto answer = ask(what, [&](nl_msg** request) {
      return rtnl_addr_build_add_request(address.get(), NLM_F_CREATE | NLM_F_EXCL, request);
    });
    if (!answer) refuse(what, answer);
  }

  // The kernel adds and announces this route when the carrier is first switched on, unless it
  // exists. Adding it here leaves the change of the link as the only event of a carrier change.
  void add_multicast_route(int ifindex) {
    static const IpPrefix all_multicast = IpPrefix::parse("ff00::/8").value();
    const auto answer = add_route(ifindex, {.prefix = all_multicast,
                                            .table = RT_TABLE_LOCAL,
                                            .protocol = RTPROT_KERNEL,
                                            .type = RTN_MULTICAST,
                                            .metric = addrconf_metric});
    if (!answer && answer.error_number != EEXIST) {
      throw SystemError("route " + all_multicast.to_string() + ": " + answer.reason);
    }
  }

  KernelAnswer add_route(int ifindex, const RouteSpec& spec) {
    const bool is_v4 = spec.prefix.address.is_v4();
    const auto route = allocated(Route(rtnl_route_alloc()));
    rtnl_route_set_family(route.get(), static_cast<std::uint8_t>(spec.prefix.address.family()));
    rtnl_route_set_dst(route.get(), to_libnl(spec.prefix.network()).get());
    rtnl_route_set_table(route.get(), spec.table);
    rtnl_route_set_protocol(route.get(), spec.protocol);
    rtnl_route_set_scope(route.get(), is_v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
    rtnl_route_set_type(route.get(), spec.type);
    if (spec.metric != 0) rtnl_route_set_priority(route.get(), spec.metric);
    auto* next_hop = rtnl_route_nh_alloc();
    if (next_hop == nullptr) throw SystemError("netlink: out of memory");
    rtnl_route_nh_set_ifindex(next_hop, ifindex);
    rtnl_route_add_nexthop(route.get(), next_hop);  // the route owns it now
    return ask("route " + spec.prefix.to_string(), [&](nl_msg** request) {
      return rtnl_route_build_add_request(route.get(), NLM_F_CREATE | NLM_F_EXCL, request);
    });
  }
};

Netlink::Netlink() : state_(std::make_unique<State>()) {}
Netlink::~Netlink() = default;
Netlink::Netlink(Netlink&&) noexcept = default;

void Netlink::set_up(const InterfaceSetup& setup) {
  const Link link = state_->find(setup.name);
  const int ifindex = rtnl_link_get_ifindex(link.get());
  state_->set_mtu(link, setup.mtu);
  disable_autoconfiguration(setup.name);
  for (const IpPrefix& address : setup.addresses) {
    if (!address.address.is_v4()) check_ipv6_possible(setup, address);
    state_->add_address(ifindex, address);
  }
  state_->bring_up(link);
  if (read_sysctl(disable_ipv6(setup.name)) == "0") state_->add_multicast_route(ifindex);
  for (const IpPrefix& prefix : setup.routes) {
    const auto answer = state_->add_route(
        ifindex, {.prefix = prefix, .table = setup.table == 0 ? RT_TABLE_MAIN : setup.table});
    if (!answer) refuse("route " + prefix.to_string(), answer);
  }
}

void Netlink::set_mtu(const std::string& name, unsigned mtu) {
  state_->set_mtu(state_->find(name), mtu);
}

}  // namespace routevpn::host
