// The carrier of the TUN interface, which routing daemons follow.
#pragma once

#include <string>

#include "routevpn/base/owned.hpp"
#include "routevpn/inside/tun.hpp"

namespace routevpn::inside {

// Holds a descriptor of the interface, so the interface stays while this object lives. It needs
// none of the other descriptors of the interface.
class Carrier {
 public:
  // The calling thread is in the interface's network namespace. Throws SystemError.
  static Carrier of(const Tun& tun);

  // The kernel announces the change at once. Throws SystemError.
  void set(bool on) const;

 private:
  Carrier(Fd tun, Fd query, Fd rtnetlink, std::string name);
  Fd tun_;
  Fd query_;  // a socket in the interface's namespace, for ethtool requests
  Fd rtnetlink_;
  std::string name_;
  int ifindex_;
};

}  // namespace routevpn::inside
