// The routes in BIRD's answer to `show route ... all`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routevpn/base/address.hpp"

namespace routevpn::bird {

struct NextHop {
  std::string address;    // empty: the destination is on the interface itself
  std::string interface;  // empty: not shown
  std::string weight;     // of several next hops, or empty
};

struct Route {
  std::string table;
  std::string network;
  std::string type;      // unicast, unreachable, blackhole, prohibit
  std::string protocol;  // from which BIRD has the route
  std::string since;     // as BIRD writes times
  std::string from;      // the router that announced it, or empty
  bool is_best = false;  // of its table
  std::string preference;
  std::vector<NextHop> next_hops;
  std::vector<std::pair<std::string, std::string>> attributes;  // name and value, as BIRD writes
};

// The command for the routes of all tables that packets to this address or prefix take: those with
// the longest prefix that covers it. The text has no other part than the prefix.
std::string route_command(const IpPrefix& prefix);

// Whether this error of BIRD says that no route covers the prefix.
bool is_no_route(std::string_view error);

std::vector<Route> routes(std::string_view answer);

}  // namespace routevpn::bird
