// Makes the plan: the links and their numbers. Pure: a topology and a lock give a plan and the next
// lock.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/plan/lock.hpp"
#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

struct PlannedLink {
  // The initiator, which has the lower address of each interconnect; then the acceptor.
  std::array<std::size_t, 2> gateways{};
  std::uint32_t number = 0;
  Family family = Family::ipv6;  // of the outer packets
  std::optional<std::uint32_t> cost;
  std::optional<std::uint32_t> bandwidth_mbit;
  bool psk = true;
  std::string detection;  // empty: the default of routevpn
  std::uint32_t lanes = 1;
  bool link_local = false;
};

// The iBGP sessions.
enum class Sessions : std::uint8_t {
  // Between the two ends of each link; each end announces its own site. Hubs, and the named
  // reflectors of an explicit topology, reflect routes with next hop self, so that traffic passes
  // through them.
  over_each_link,
  // Only over the links of the reflectors, which reflect routes with the next hop unchanged.
  // Traffic uses the direct links.
  to_reflectors,
};

struct Plan {
  Topology topology;
  std::vector<PlannedLink> links;                  // in the order of the gateways in the file
  std::vector<std::vector<std::size_t>> links_of;  // per gateway: indices into links
  Lock lock;                                       // the numbers of this plan, for the next one
  Sessions sessions = Sessions::over_each_link;
  std::vector<bool> is_reflector;  // per gateway
  bool has_costs = false;
  std::uint32_t ports_per_link = 1;  // the most lanes of a link

  [[nodiscard]] bool has_reflector() const { return std::ranges::count(is_reflector, true) > 0; }
  [[nodiscard]] std::size_t peer_of(const PlannedLink& link, std::size_t gateway) const;
  // Of the first lane, the same at both ends. The next lanes have the next ports.
  [[nodiscard]] std::uint16_t port_of(const PlannedLink& link) const;
  // The address of this gateway on the link; none without a pool of the family.
  [[nodiscard]] std::optional<IpPrefix> interconnect(const PlannedLink& link, std::size_t gateway,
                                                     Family family) const;
  // The family of the addresses and next hops of BGP sessions.
  [[nodiscard]] Family session_family() const;
  // The BGP next hop that this gateway announces with Sessions::to_reflectors. It comes from the
  // end of the pool, or of its first 2^40 addresses.
  [[nodiscard]] IpAddress next_hop(std::size_t gateway) const;
  [[nodiscard]] bool has_session(const PlannedLink& link) const;
  // The cost of a route through the link; 0 for every link if no link has a cost or a bandwidth.
  [[nodiscard]] std::uint32_t cost_of(const PlannedLink& link) const;
};

// Faults are of the topology file; the plan is valid only without any.
Plan allocate(Topology topology, const Lock& before, Faults& faults);

}  // namespace routevpn::plan
