// The BGP sessions in BIRD's answer to `show protocols all`. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace routevpn::bird {

struct RouteCounts {
  std::uint64_t imported = 0;  // learned from the neighbour and accepted
  std::uint64_t exported = 0;  // announced to the neighbour
};

struct BgpSession {
  std::string name;
  std::string state;                          // Established, Active, ...; empty: not shown
  std::string neighbor;                       // its address, without zone
  std::string zone;                           // interface of a link-local neighbour, or empty
  std::map<std::string, RouteCounts> routes;  // by channel that is up: ipv4, ipv6
};

std::vector<BgpSession> bgp_sessions(std::string_view answer);

}  // namespace routevpn::bird
