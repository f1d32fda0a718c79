// Routing policy rules that send all but the link's own outer packets to the link's table:
//
//   from all lookup main suppress_prefixlength 0     routes of main, except its default route
//   not from all fwmark MARK lookup TABLE            all other packets without the mark
//
// They come directly before all other rules except that of table local.
#pragma once

#include <cstdint>

#include "netlink_socket.hpp"

namespace routevpn::host {

// In the namespace of `additions`. Throws UsageError if such a rule exists, SystemError otherwise.
void add_policy_rules(Additions& additions, std::uint32_t fwmark, std::uint32_t table, bool ipv4,
                      bool ipv6);

}  // namespace routevpn::host
