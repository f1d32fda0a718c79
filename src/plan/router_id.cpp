#include "router_id.hpp"

#include <set>

namespace routevpn::plan {

namespace {

// The upper bytes of an ID count the sites from 1, so that an ID shows its site. The last byte
// counts the gateways of a site from 1 and its site routers from 129.
class RouterIds {
 public:
  RouterIds(const Topology& topology, const Lock& before, Faults& faults)
      : topology_(topology), before_(before.ids), faults_(faults) {}

  void run(Plan& plan, Lock& after) {
    for (const auto& site : topology_.sites) keep(site);
    std::uint32_t free_site = 1;
    for (const auto& site : topology_.sites) {
      auto number = site_number(site);
      if (number == 0) {
        while (sites_in_use_.contains(free_site)) ++free_site;
        number = free_site;
        sites_in_use_.insert(number);
      }
      assign(site, site.gateways, topology_.gateways, number, first_gateway_id);
      assign(site, site.routers, topology_.routers, number, first_router_id);
    }
    for (const auto& gateway : topology_.gateways) plan.gateway_ids.push_back(ids_[gateway.name]);
    for (const auto& router : topology_.routers) plan.router_ids.push_back(ids_[router.name]);
    after.ids = std::move(ids_);
  }

 private:
  static constexpr std::uint32_t first_gateway_id = 1;
  static constexpr std::uint32_t first_router_id = 129;
  static constexpr std::uint32_t ids_per_kind = 127;  // gateways or site routers of a site

  [[nodiscard]] std::vector<std::string> nodes_of(const Site& site) const {
    std::vector<std::string> names;
    for (const auto index : site.gateways) names.push_back(topology_.gateways[index].name);
    for (const auto index : site.routers) names.push_back(topology_.routers[index].name);
    return names;
  }

  void keep(const Site& site) {
    for (const auto& name : nodes_of(site)) {
      const auto at = before_.find(name);
      if (at == before_.end()) continue;
      ids_.insert(*at);
      used_.insert(at->second);
      sites_in_use_.insert(at->second >> 8U);
    }
  }

  // 0: no node of the site has an ID yet.
  [[nodiscard]] std::uint32_t site_number(const Site& site) const {
    for (const auto& name : nodes_of(site)) {
      if (const auto at = ids_.find(name); at != ids_.end()) return at->second >> 8U;
    }
    return 0;
  }

  template <typename Node>
  void assign(const Site& site, const std::vector<std::size_t>& indices,
              const std::vector<Node>& nodes, std::uint32_t number, std::uint32_t first) {
    std::uint32_t next = first;
    for (const auto index : indices) {
      if (ids_.contains(nodes[index].name)) continue;
      while (used_.contains(number << 8U | next)) ++next;
      if (next >= first + ids_per_kind) {
        faults_.push_back({nodes[index].line, "site " + site.name + " has more than " +
                                                  std::to_string(ids_per_kind) +
                                                  " gateways or routers"});
        return;
      }
      ids_.emplace(nodes[index].name, number << 8U | next);
      used_.insert(number << 8U | next);
    }
  }

  const Topology& topology_;
  const std::map<std::string, std::uint32_t>& before_;
  Faults& faults_;
  std::map<std::string, std::uint32_t> ids_;
  std::set<std::uint32_t> used_;
  std::set<std::uint32_t> sites_in_use_;
};

}  // namespace

void assign_router_ids(Plan& plan, const Lock& before, Lock& after, Faults& faults) {
  RouterIds(plan.topology, before, faults).run(plan, after);
}

}  // namespace routevpn::plan
