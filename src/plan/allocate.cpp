#include "routevpn/plan/allocate.hpp"

#include <algorithm>
#include <set>

#include "mesh.hpp"

namespace routevpn::plan {

namespace {

// As in OSPF, the cost is reference / bandwidth: 1 for 100 Gbit/s. The default is 1 Gbit/s.
constexpr std::uint32_t reference_mbit = 100'000;
constexpr std::uint32_t default_cost = reference_mbit / 1000;

// The host bits of a link's network: a /30 or a /127.
unsigned bits_of_link(Family family) {
  return family == Family::ipv4 ? 2 : 1;
}

IpAddress offset_by(const IpAddress& address, std::uint64_t offset) {
  auto bytes = address.bytes();
  for (std::size_t i = address.bits() / 8; i-- > 0 && offset != 0; offset >>= 8) {
    offset += bytes[i];
    bytes[i] = static_cast<std::uint8_t>(offset & 0xff);
  }
  if (!address.is_v4()) return IpAddress::v6(bytes);
  return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

// The number of addresses in a pool, capped at 2^40: more than any plan needs.
std::uint64_t size_of(const IpPrefix& pool) {
  const unsigned host_bits = pool.address.bits() - pool.length;
  return std::uint64_t{1} << std::min(host_bits, 40U);
}

// Names of the old lock keep their numbers. New names get the lowest free numbers.
template <typename Name>
std::map<Name, std::uint32_t> numbers_of(const std::vector<Name>& names,
                                         const std::map<Name, std::uint32_t>& before) {
  std::map<Name, std::uint32_t> numbers;
  std::set<std::uint32_t> used;
  for (const auto& name : names) {
    const auto at = before.find(name);
    if (at == before.end()) continue;
    numbers.insert(*at);
    used.insert(at->second);
  }
  std::uint32_t free = 0;
  for (const auto& name : names) {
    if (numbers.contains(name)) continue;
    while (used.contains(free)) ++free;
    numbers.emplace(name, free++);
  }
  return numbers;
}

template <typename Map>
std::uint64_t numbers_needed(const Map& numbers) {
  std::uint64_t needed = 0;
  for (const auto& entry : numbers) needed = std::max<std::uint64_t>(needed, entry.second + 1ULL);
  return needed;
}

void assign_numbers(Plan& plan, const Lock& before) {
  const auto& gateways = plan.topology.gateways;
  std::vector<std::string> names;
  names.reserve(gateways.size());
  for (const auto& gateway : gateways) names.push_back(gateway.name);
  plan.lock.gateways = numbers_of(names, before.gateways);
  std::vector<LinkName> ends;
  for (const auto& link : plan.links) {
    ends.emplace_back(gateways[link.gateways[0]].name, gateways[link.gateways[1]].name);
  }
  plan.lock.links = numbers_of(ends, before.links);
  for (std::size_t i = 0; i < ends.size(); ++i) plan.links[i].number = plan.lock.links.at(ends[i]);
}

// A router ID has the number of the site, from 1, in its upper bytes. Its last byte counts the
// gateways of the site from 1 and its site routers from 129. Old nodes keep the IDs of the old
// lock.
class RouterIds {
 public:
  RouterIds(const Topology& topology, const Lock& before)
      : topology_(topology), numbers_(topology.sites.size(), 0) {
    for (const auto& gateway : topology.gateways) keep(gateway, before);
    for (const auto& router : topology.routers) keep(router, before);
    std::uint32_t free = 1;
    for (auto& number : numbers_) {
      if (number != 0) continue;
      while (sites_.contains(free)) ++free;
      number = free++;
    }
  }

  std::map<std::string, std::uint32_t> all(Faults& faults) && {
    for (std::size_t i = 0; i < topology_.sites.size(); ++i) {
      add(i, topology_.sites[i].gateways, topology_.gateways, 1, faults);
      add(i, topology_.sites[i].routers, topology_.routers, 129, faults);
    }
    return std::move(ids_);
  }

 private:
  static constexpr std::uint32_t most_per_kind = 127;  // gateways or site routers of a site

  void keep(const Node& node, const Lock& before) {
    const auto at = before.ids.find(node.name);
    if (at == before.ids.end()) return;
    ids_.insert(*at);
    used_.insert(at->second);
    const auto site = at->second >> 8U;
    sites_.insert(site);
    if (numbers_[node.site] == 0) numbers_[node.site] = site;
  }

  template <typename Nodes>
  void add(std::size_t site, const std::vector<std::size_t>& indices, const Nodes& nodes,
           std::uint32_t first, Faults& faults) {
    auto next = first;
    for (const auto index : indices) {
      if (ids_.contains(nodes[index].name)) continue;
      while (used_.contains(numbers_[site] << 8U | next)) ++next;
      if (next >= first + most_per_kind) {
        faults.push_back({nodes[index].line, "site " + topology_.sites[site].name +
                                                 " has more than " + std::to_string(most_per_kind) +
                                                 " gateways or routers"});
        return;
      }
      ids_.emplace(nodes[index].name, numbers_[site] << 8U | next++);
    }
  }

  const Topology& topology_;
  std::vector<std::uint32_t> numbers_;  // per site; 0: none yet
  std::set<std::uint32_t> sites_;       // the numbers of sites in old IDs
  std::set<std::uint32_t> used_;        // the old IDs
  std::map<std::string, std::uint32_t> ids_;
};

// Adds a fault for each pool that is too small. The fault names the prefix length that suffices.
void check_room(const Plan& plan, Faults& faults) {
  const auto& organisation = plan.topology.organisation;
  const auto links = numbers_needed(plan.lock.links);
  for (const auto family : both_families) {
    const auto& pool = organisation.interconnect(family);
    const bool has_next_hops =
        plan.sessions == Sessions::to_reflectors && family == plan.session_family();
    const auto next_hops = has_next_hops ? numbers_needed(plan.lock.gateways) : 0;
    const std::uint64_t needed = (links << bits_of_link(family)) + next_hops;
    if (!pool || needed <= size_of(pool->value)) continue;
    unsigned host_bits = bits_of_link(family);
    while ((std::uint64_t{1} << host_bits) < needed) ++host_bits;
    std::string text = family == Family::ipv4 ? "interconnect4 " : "interconnect6 ";
    text += pool->value.to_string() + " is exhausted: " + std::to_string(links) + " links";
    if (next_hops > 0) text += " and " + std::to_string(next_hops) + " next hops";
    const auto length = std::to_string(pool->value.address.bits() - host_bits);
    text += " need a /" + length + " or larger";
    faults.push_back({pool->line, std::move(text)});
  }
  const auto& [ports, line] = organisation.ports;
  const std::uint64_t needed = links * plan.ports_per_link;
  if (needed <= ports.size()) return;
  std::string text = "ports " + std::to_string(ports.first) + "-" + std::to_string(ports.last);
  text += " are exhausted: " + std::to_string(links) + " links ";
  if (plan.ports_per_link == 1) {
    text += "need as many ports";
  } else {
    text += "of up to " + std::to_string(plan.ports_per_link) + " lanes need ";
    text += std::to_string(needed) + " ports";
  }
  faults.push_back({line, std::move(text)});
}

}  // namespace

std::size_t Plan::peer_of(const PlannedLink& link, std::size_t gateway) const {
  return link.gateways[0] == gateway ? link.gateways[1] : link.gateways[0];
}

std::uint16_t Plan::port_of(const PlannedLink& link) const {
  return static_cast<std::uint16_t>(topology.organisation.ports.value.first +
                                    link.number * ports_per_link);
}

std::optional<IpPrefix> Plan::interconnect(const PlannedLink& link, std::size_t gateway,
                                           Family family) const {
  const auto& pool = topology.organisation.interconnect(family);
  if (!pool) return std::nullopt;
  const unsigned bits = bits_of_link(family);
  // The first address of a /30 is the network address.
  const auto end = (family == Family::ipv4 ? 1U : 0U) + (link.gateways[0] == gateway ? 0U : 1U);
  const auto offset = (std::uint64_t{link.number} << bits) + end;
  return IpPrefix{offset_by(pool->value.address, offset), pool->value.address.bits() - bits};
}

Family Plan::session_family() const {
  return topology.organisation.interconnect6 ? Family::ipv6 : Family::ipv4;
}

IpAddress Plan::next_hop(std::size_t gateway) const {
  const auto& pool = topology.organisation.interconnect(session_family())->value;
  const auto number = lock.gateways.at(topology.gateways[gateway].name);
  return offset_by(pool.address, size_of(pool) - 1 - number);
}

std::uint32_t Plan::cost_of(const PlannedLink& link) const {
  if (!has_costs) return 0;
  if (link.cost) return *link.cost;
  if (link.bandwidth_mbit) return std::max(1U, reference_mbit / *link.bandwidth_mbit);
  return default_cost;
}

bool Plan::has_session(const PlannedLink& link) const {
  return sessions == Sessions::over_each_link || is_reflector[link.gateways[0]] ||
         is_reflector[link.gateways[1]];
}

Plan allocate(Topology topology, const Lock& before, Faults& faults) {
  Plan plan;
  plan.topology = std::move(topology);
  plan.links = choose_links(plan.topology, faults);
  if (!faults.empty()) return plan;
  plan.has_costs = std::ranges::any_of(
      plan.links, [](const PlannedLink& link) { return link.cost || link.bandwidth_mbit; });
  for (const auto& link : plan.links) {
    plan.ports_per_link = std::max(plan.ports_per_link, link.lanes);
  }
  plan.links_of.resize(plan.topology.gateways.size());
  for (std::size_t i = 0; i < plan.links.size(); ++i) {
    for (const auto gateway : plan.links[i].gateways) plan.links_of[gateway].push_back(i);
  }
  choose_reflectors(plan, before, faults);
  plan.lock.ids = RouterIds(plan.topology, before).all(faults);
  assign_numbers(plan, before);
  check_room(plan, faults);
  return plan;
}

}  // namespace routevpn::plan
