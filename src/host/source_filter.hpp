// --accept routed: nftables drops packets from the link whose source the routing table would not
// send through the link.
#pragma once

#include <string>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::host {

// The counter in the link's table that counts these packets.
inline constexpr const char* refused_sources_counter = "refused_sources";

// The counter and the chain of a link's table. The chain also accepts the prefixes.
std::string source_filter(const std::string& ifname, const std::vector<IpPrefix>& prefixes);

}  // namespace routevpn::host
