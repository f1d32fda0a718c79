// The numbers that have been given, kept beside the topology so that they never change.
//
//   id 0.0.1.1 V1-1         a gateway's or site router's identifier in BGP and OSPF
//   gateway 0 V1-1
//   link 0 V1-1 V2-1        its interconnect and its port
//   reflector V1-1
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

// The two gateways' names, the initiator first.
using LinkName = std::pair<std::string, std::string>;

struct Lock {
  // The last byte counts the gateways of a site from 1 and its routers from 129, the others count
  // the sites from 1.
  std::map<std::string, std::uint32_t> ids;
  std::map<std::string, std::uint32_t> gateways;
  std::map<LinkName, std::uint32_t> links;
  std::vector<std::string> reflectors;  // chosen by us, in the order of their choice

  bool operator==(const Lock&) const = default;
};

inline constexpr std::uint32_t highest_number = 999'999;

std::string text_of_id(std::uint32_t id);  // 0.0.1.1

Lock parse_lock(std::string_view text, Faults& faults);
std::string format_lock(const Lock& lock);

}  // namespace routevpn::plan
