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

  // The kernel announces the change before this returns. Up to Linux 6.7 an ethtool query makes it
  // do so; if the query fails, the announcement comes up to 1 s later. Throws SystemError.
  void set(bool on) const;

 private:
  Carrier(Fd tun, Fd query, std::string name);
  Fd tun_;
  Fd query_;  // a socket in the interface's namespace, for ethtool requests
  std::string name_;
};

}  // namespace routevpn::inside
