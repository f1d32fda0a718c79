// The plan: which links there are, and their numbers. Pure: a topology and a lock give a plan and
// the next lock.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/plan/lock.hpp"
#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

struct PlannedLink {
  // The first initiates and has the lower address of each interconnect, the second waits.
  std::array<std::size_t, 2> gateways{};
  std::uint32_t number = 0;
  Family family = Family::ipv6;  // of the underlay
  std::optional<std::uint32_t> cost;
  std::optional<std::uint32_t> bandwidth_mbit;
};

// Where iBGP runs.
enum class Sessions : std::uint8_t {
  // Over each link, between its two ends, each for its own site. Hubs and named reflectors of an
  // explicit topology reflect what they hear, with themselves as the next hop: packets take that
  // way too.
  over_each_link,
  // Over the links of the reflectors only. They reflect with the next hop unchanged, and packets
  // take the direct link.
  to_reflectors,
};

struct Plan {
  Topology topology;
  std::vector<PlannedLink> links;                  // in the order of the gateways in the file
  std::vector<std::vector<std::size_t>> links_of;  // per gateway: indices into links
  std::vector<std::uint32_t> gateway_numbers;
  std::vector<std::uint32_t> gateway_ids;  // of BGP and OSPF
  std::vector<std::uint32_t> router_ids;
  Sessions sessions = Sessions::over_each_link;
  std::vector<bool> is_reflector;  // per gateway
  bool has_costs = false;

  [[nodiscard]] std::size_t peer_of(const PlannedLink& link, std::size_t gateway) const;
  [[nodiscard]] std::uint16_t port_of(const PlannedLink& link) const;  // at both ends
  // Of this gateway's end of the interconnect; nothing without such a pool.
  [[nodiscard]] std::optional<IpPrefix> interconnect(const PlannedLink& link, std::size_t gateway,
                                                     Family family) const;
  // Of the addresses that sessions run between, and of their next hops.
  [[nodiscard]] Family session_family() const;
  // The address that stands for a gateway as the next hop of what it announces when sessions run
  // to reflectors only: taken from the far end of the pool, or of its first 2^40 addresses.
  [[nodiscard]] IpAddress next_hop(std::size_t gateway) const;
  [[nodiscard]] bool has_session(const PlannedLink& link) const;
  // What a route through the link costs; 0 for all as long as the topology speaks of neither cost
  // nor bandwidth.
  [[nodiscard]] std::uint32_t cost_of(const PlannedLink& link) const;
};

struct Allocation {
  Plan plan;  // of use only without faults
  Lock lock;
  Faults faults;  // of the topology file
};

Allocation allocate(Topology topology, const Lock& before);

// "V2-1" before "V10-1": digits by what they are worth.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace routevpn::plan
