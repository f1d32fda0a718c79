#include "link_monitor.hpp"

#include <array>
#include <functional>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <poll.h>
#include <sys/socket.h>

#include "catch.hpp"

namespace routevpn::host {

namespace {

bool is_link(nlmsghdr* message, const std::string& ifname) {
  const auto* info = static_cast<const ifinfomsg*>(nlmsg_data(message));
  return message->nlmsg_type == RTM_NEWLINK &&
         info->ifi_index == static_cast<int>(if_nametoindex(ifname.c_str()));
}

}  // namespace

LinkMonitor::LinkMonitor() : socket_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  REQUIRE(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  for (const int group :
       {RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
        RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_MROUTE, RTNLGRP_IPV6_MROUTE, RTNLGRP_IPV6_PREFIX,
        RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF}) {
    REQUIRE(setsockopt(socket_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) ==
            0);
  }
}

bool LinkMonitor::read_until(const std::function<bool(nlmsghdr*)>& last) {
  alignas(nlmsghdr) std::array<char, 65536> buffer{};
  pollfd readable{socket_.get(), POLLIN, 0};
  while (poll(&readable, 1, 5000) == 1) {
    int left = static_cast<int>(recv(socket_.get(), buffer.data(), buffer.size(), 0));
    bool found = false;
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); nlmsg_ok(message, left) != 0;
         message = nlmsg_next(message, &left)) {
      types_.push_back(message->nlmsg_type);
      found = found || last(message);
    }
    if (found) return true;
  }
  return false;
}

bool LinkMonitor::saw_carrier(const std::string& ifname, bool on) {
  return read_until([&](nlmsghdr* message) {
    if (!is_link(message, ifname)) return false;
    const auto* info = static_cast<const ifinfomsg*>(nlmsg_data(message));
    return ((info->ifi_flags & IFF_RUNNING) != 0) == on;
  });
}

bool LinkMonitor::saw_mtu(const std::string& ifname, unsigned mtu) {
  return read_until([&](nlmsghdr* message) {
    if (!is_link(message, ifname)) return false;
    const auto* value = nlmsg_find_attr(message, sizeof(ifinfomsg), IFLA_MTU);
    return value != nullptr && nla_get_u32(value) == mtu;
  });
}

}  // namespace routevpn::host
