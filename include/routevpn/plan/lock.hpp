// The numbers of gateways and links, kept in a file beside the topology so that they never change.
// The CA is there too, so that no plan replaces it unnoticed.
//
//   id 0.0.1.1 V1-1         router ID of a gateway or site router
//   gateway 0 V1-1
//   link 0 V1-1 V2-1        determines the interconnect and the port
//   reflector V1-1
//   psk-steps 1             steps of roll-overs of the pre-shared keys (PskRoll)
//   ca 41C0...7E            digest of the key of the CA that issued the planned certificates
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

// The names of the initiator and the acceptor.
using LinkName = std::pair<std::string, std::string>;

struct Lock {
  std::map<std::string, std::uint32_t> ids;
  std::map<std::string, std::uint32_t> gateways;
  std::map<LinkName, std::uint32_t> links;
  std::vector<std::string> reflectors;  // chosen by the planner, in this order
  std::uint32_t psk_steps = 0;
  std::string authority;  // pki::key_digest() of the CA; empty: no CA

  bool operator==(const Lock&) const = default;
};

std::string text_of_id(std::uint32_t id);  // "0.0.1.1"

Lock parse_lock(std::string_view text, Faults& faults);
std::string format_lock(const Lock& lock);

}  // namespace routevpn::plan
