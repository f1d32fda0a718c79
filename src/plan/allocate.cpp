#include "routevpn/plan/allocate.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "mesh.hpp"
#include "router_id.hpp"

namespace routevpn::plan {

namespace {

constexpr unsigned bits_of_link4 = 2;  // a /30
constexpr unsigned bits_of_link6 = 1;  // a /127
// As in OSPF, the cost is reference / bandwidth: 1 for 100 Gbit/s. The default is 1 Gbit/s.
constexpr std::uint32_t reference_mbit = 100'000;
constexpr std::uint32_t default_cost = reference_mbit / 1000;

IpAddress offset_by(const IpAddress& address, std::uint64_t offset) {
  auto bytes = address.bytes();
  const std::size_t length = address.is_v4() ? 4 : 16;
  std::uint64_t carry = offset;
  for (std::size_t i = length; i-- > 0 && carry != 0;) {
    carry += bytes[i];
    bytes[i] = static_cast<std::uint8_t>(carry & 0xff);
    carry >>= 8;
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
class Numbers {
 public:
  Numbers(const std::map<Name, std::uint32_t>& before, const std::vector<Name>& wanted) {
    for (const auto& name : wanted) {
      if (const auto at = before.find(name); at != before.end()) {
        numbers_.emplace(name, at->second);
        used_.insert(at->second);
      }
    }
    for (const auto& name : wanted) {
      if (!numbers_.contains(name)) numbers_.emplace(name, next());
    }
  }

  [[nodiscard]] const std::map<Name, std::uint32_t>& all() const { return numbers_; }

 private:
  std::uint32_t next() {
    while (used_.contains(free_)) ++free_;
    return free_++;
  }

  std::map<Name, std::uint32_t> numbers_;
  std::set<std::uint32_t> used_;
  std::uint32_t free_ = 0;
};

template <typename Map>
std::uint64_t numbers_needed(const Map& numbers) {
  std::uint64_t needed = 0;
  for (const auto& entry : numbers) needed = std::max<std::uint64_t>(needed, entry.second + 1ULL);
  return needed;
}

// Adds a fault if the pool is too small. The fault names the prefix length that suffices.
void require_room(const At<IpPrefix>& pool, std::string_view key, unsigned bits_of_link,
                  std::uint64_t links, std::uint64_t next_hops, Faults& faults) {
  const std::uint64_t needed = (links << bits_of_link) + next_hops;
  if (needed <= size_of(pool.value)) return;
  unsigned host_bits = bits_of_link;
  while ((std::uint64_t{1} << host_bits) < needed) ++host_bits;
  const std::string length = std::to_string(pool.value.address.bits() - host_bits);
  std::string text = std::string(key) + " " + pool.value.to_string() +
                     " is exhausted: " + std::to_string(links) + " links";
  if (next_hops > 0) text += " and " + std::to_string(next_hops) + " next hops";
  faults.push_back({pool.line, text + " need a /" + length + " or larger"});
}

LinkName name_of(const Plan& plan, const PlannedLink& link) {
  return {plan.topology.gateways[link.gateways[0]].name,
          plan.topology.gateways[link.gateways[1]].name};
}

void number_gateways(Plan& plan, const Lock& before, Lock& after) {
  std::vector<std::string> names;
  for (const auto& gateway : plan.topology.gateways) names.push_back(gateway.name);
  after.gateways = Numbers(before.gateways, names).all();
  for (const auto& name : names) plan.gateway_numbers.push_back(after.gateways.at(name));
}

void number_links(Plan& plan, const Lock& before, Lock& after) {
  std::vector<LinkName> names;
  for (const auto& link : plan.links) names.push_back(name_of(plan, link));
  after.links = Numbers(before.links, names).all();
  for (std::size_t i = 0; i < plan.links.size(); ++i) {
    plan.links[i].number = after.links.at(names[i]);
  }
}

void check_room(const Plan& plan, const Lock& lock, Faults& faults) {
  const auto links = numbers_needed(lock.links);
  const auto next_hops =
      plan.sessions == Sessions::to_reflectors ? numbers_needed(lock.gateways) : 0;
  const auto& organisation = plan.topology.organisation;
  if (organisation.interconnect4) {
    require_room(*organisation.interconnect4, "interconnect4", bits_of_link4, links,
                 organisation.interconnect6 ? 0 : next_hops, faults);
  }
  if (organisation.interconnect6) {
    require_room(*organisation.interconnect6, "interconnect6", bits_of_link6, links, next_hops,
                 faults);
  }
  const auto& ports = organisation.ports;
  if (links > ports.value.size()) {
    faults.push_back({ports.line, "ports " + std::to_string(ports.value.first) + "-" +
                                      std::to_string(ports.value.last) + " are exhausted: " +
                                      std::to_string(links) + " links need as many ports"});
  }
}

const std::optional<At<IpPrefix>>& pool_of(const Plan& plan, Family family) {
  const auto& organisation = plan.topology.organisation;
  return family == Family::ipv4 ? organisation.interconnect4 : organisation.interconnect6;
}

// Removes the digits at the front of `text`, and returns them without leading zeros.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  auto digits = text.substr(0, end);
  text.remove_prefix(end);
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  auto left = a;
  auto right = b;
  while (!left.empty() && !right.empty()) {
    if (is_digit(left.front()) && is_digit(right.front())) {
      const auto x = take_digits(left);
      const auto y = take_digits(right);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      continue;
    }
    if (left.front() != right.front()) return left.front() < right.front();
    left.remove_prefix(1);
    right.remove_prefix(1);
  }
  if (left.size() != right.size()) return left.size() < right.size();
  return a < b;
}

std::size_t Plan::peer_of(const PlannedLink& link, std::size_t gateway) const {
  return link.gateways[0] == gateway ? link.gateways[1] : link.gateways[0];
}

std::uint16_t Plan::port_of(const PlannedLink& link) const {
  return static_cast<std::uint16_t>(topology.organisation.ports.value.first + link.number);
}

std::optional<IpPrefix> Plan::interconnect(const PlannedLink& link, std::size_t gateway,
                                           Family family) const {
  const auto& pool = pool_of(*this, family);
  if (!pool) return std::nullopt;
  const bool v4 = family == Family::ipv4;
  const unsigned bits = v4 ? bits_of_link4 : bits_of_link6;
  // The first address of a /30 is the network address.
  const std::uint64_t end = (v4 ? 1 : 0) + (link.gateways[0] == gateway ? 0 : 1);
  const auto offset = (std::uint64_t{link.number} << bits) + end;
  return IpPrefix{offset_by(pool->value.address, offset), pool->value.address.bits() - bits};
}

Family Plan::session_family() const {
  return topology.organisation.interconnect6 ? Family::ipv6 : Family::ipv4;
}

IpAddress Plan::next_hop(std::size_t gateway) const {
  const auto& pool = pool_of(*this, session_family())->value;
  return offset_by(pool.address, size_of(pool) - 1 - gateway_numbers[gateway]);
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

Allocation allocate(Topology topology, const Lock& before) {
  Allocation result;
  auto& plan = result.plan;
  plan.topology = std::move(topology);
  plan.links = choose_links(plan.topology, result.faults);
  if (!result.faults.empty()) return result;
  plan.has_costs = std::any_of(plan.links.begin(), plan.links.end(), [](const PlannedLink& link) {
    return link.cost || link.bandwidth_mbit;
  });
  plan.links_of.resize(plan.topology.gateways.size());
  for (std::size_t i = 0; i < plan.links.size(); ++i) {
    for (const auto gateway : plan.links[i].gateways) plan.links_of[gateway].push_back(i);
  }
  choose_reflectors(plan, before, result.lock, result.faults);
  assign_router_ids(plan, before, result.lock, result.faults);
  number_gateways(plan, before, result.lock);
  number_links(plan, before, result.lock);
  check_room(plan, result.lock, result.faults);
  return result;
}

}  // namespace routevpn::plan
