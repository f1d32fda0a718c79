#include "routevpn/inside/carrier.hpp"

#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "routevpn/base/error.hpp"

namespace routevpn::inside {

namespace {

// Up to Linux 6.7 the kernel announces at most one lost carrier per second for the whole machine.
// So when several links fail, BIRD would learn of all but the first a second late. A query for the
// link state (ETHTOOL_GLINK) makes the kernel announce this interface's pending change at once. If
// the query fails, the announcement is only late, so the result is not checked.
void publish_carrier(const Fd& query, const std::string& name) {
  ethtool_value link_state{.cmd = ETHTOOL_GLINK, .data = 0};
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_data = &link_state;
  ioctl(query.get(), SIOCETHTOOL, &request);
}

}  // namespace

Carrier Carrier::of(const Tun& tun) {
  Fd descriptor(fcntl(tun.fd(), F_DUPFD_CLOEXEC, 0));
  if (!descriptor) throw system_error("interface " + tun.name() + ": dup");
  Fd query(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!query) throw system_error("interface " + tun.name() + ": socket");
  return {std::move(descriptor), std::move(query), tun.name()};
}

Carrier::Carrier(Fd tun, Fd query, std::string name)
    : tun_(std::move(tun)), query_(std::move(query)), name_(std::move(name)) {}

void Carrier::set(bool on) const {
  const int carrier = on ? 1 : 0;
  if (ioctl(tun_.get(), TUNSETCARRIER, &carrier) != 0) {
    throw system_error("interface " + name_ + ": carrier");
  }
  publish_carrier(query_, name_);
}

}  // namespace routevpn::inside
