#include "routevpn/inside/carrier.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"

namespace routevpn::inside {

namespace {

// A lost carrier is announced by the kernel's link watch, up to Linux 6.7 at most once a second for
// the whole machine. So when several links fail, BIRD would learn of all but the first a second
// late. Each of these two makes the kernel announce the change at once, on some kernels. Where both
// fail, the announcement is only late, so their results are not checked.

// `socket` is in the interface's namespace. 0: it has no such interface.
int index_of(const Fd& socket, const std::string& name) {
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  return ioctl(socket.get(), SIOCGIFINDEX, &request) == 0 ? request.ifr_ifindex : 0;
}

// Since Linux 6.8 a query for the link state (ETHTOOL_GLINK) waits for the link watch.
void query_carrier(const Fd& query, const std::string& name) {
  ethtool_value link_state{.cmd = ETHTOOL_GLINK, .data = 0};
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_data = &link_state;
  ioctl(query.get(), SIOCETHTOOL, &request);
}

// Before, a change of the operational state (RFC 2863) announces the link as it is. The kernel
// takes "dormant" only in place of "up", and returns to "up" by itself with the carrier.
void make_dormant(const Fd& rtnetlink, int ifindex) {
  struct {
    nlmsghdr header;
    ifinfomsg link;
    rtattr attribute;
    std::uint8_t state;
    std::array<std::uint8_t, 3> padding;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_SETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.link.ifi_index = ifindex;
  request.attribute.rta_len = RTA_LENGTH(sizeof request.state);
  request.attribute.rta_type = IFLA_OPERSTATE;
  request.state = IF_OPER_DORMANT;
  ::send(rtnetlink.get(), &request, sizeof request, 0);
}

}  // namespace

Carrier Carrier::of(const Tun& tun) {
  Fd descriptor(fcntl(tun.fd(), F_DUPFD_CLOEXEC, 0));
  if (!descriptor) throw system_error("interface " + tun.name() + ": dup");
  Fd query(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!query) throw system_error("interface " + tun.name() + ": socket");
  Fd rtnetlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!rtnetlink) throw system_error("interface " + tun.name() + ": rtnetlink");
  return {std::move(descriptor), std::move(query), std::move(rtnetlink), tun.name()};
}

Carrier::Carrier(Fd tun, Fd query, Fd rtnetlink, std::string name)
    : tun_(std::move(tun)),
      query_(std::move(query)),
      rtnetlink_(std::move(rtnetlink)),
      name_(std::move(name)),
      ifindex_(index_of(query_, name_)) {}

void Carrier::set(bool on) const {
  const int carrier = on ? 1 : 0;
  if (ioctl(tun_.get(), TUNSETCARRIER, &carrier) != 0) {
    throw system_error("interface " + name_ + ": carrier");
  }
  query_carrier(query_, name_);
  if (!on) make_dormant(rtnetlink_, ifindex_);
}

}  // namespace routevpn::inside
