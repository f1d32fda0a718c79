// BIRD's answer to `show protocols all`. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::doctor {

struct BgpSession {
  std::string name;
  std::string state;                              // Established, Active, ...; empty: not shown
  std::string neighbor;                           // its address, without zone
  std::map<std::string, std::uint64_t> exported;  // by channel that is up: ipv4, ipv6
};

std::vector<BgpSession> bgp_sessions(std::string_view answer);

}  // namespace routevpn::doctor
