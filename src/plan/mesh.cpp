#include "mesh.hpp"

#include <algorithm>
#include <map>

namespace routevpn::plan {

namespace {

// A gateway has no link to a reflector of its own site. It then has two others, so one may fail.
constexpr std::size_t most_reflectors = 3;

// In sites. A larger full mesh gets route reflectors.
constexpr std::size_t largest_ibgp_mesh = 10;

// A plan has one UDP port per link.
constexpr std::size_t most_links = 65535;

class LinkChooser {
 public:
  LinkChooser(const Topology& topology, Faults& faults)
      : topology_(topology),
        faults_(faults),
        is_hub_(topology.sites.size(), false),
        is_reported_(topology.sites.size(), false),
        linked_(topology.sites.size(), std::vector<bool>(topology.sites.size(), false)) {
    for (const auto& hub : topology.organisation.hubs) {
      if (const auto site = topology.find_site(hub.value)) is_hub_[*site] = true;
    }
    for (const auto& entry : topology.links) entries_.emplace(entry.gateways, &entry);
  }

  std::vector<PlannedLink> run() {
    const auto& gateways = topology_.gateways;
    for (std::size_t a = 0; a < gateways.size(); ++a) {
      for (std::size_t b = a + 1; b < gateways.size(); ++b) {
        if (gateways[a].site != gateways[b].site) consider(a, b);
      }
      if (links_.size() > most_links) {
        faults_.push_back({topology_.organisation.line,
                           "more than " + std::to_string(most_links) +
                               " links, and each link needs a port; mesh = \"hub-and-spoke\" has "
                               "fewer links"});
        return {};
      }
    }
    sites_without_links();
    gateways_without_links();
    return std::move(links_);
  }

 private:
  [[nodiscard]] bool in_mesh(std::size_t a, std::size_t b) const {
    const auto mesh = topology_.organisation.mesh;
    return mesh == Mesh::full || (mesh == Mesh::hub_and_spoke && (is_hub_[a] || is_hub_[b]));
  }

  void consider(std::size_t a, std::size_t b) {
    const auto& one = topology_.gateways[a];
    const auto& other = topology_.gateways[b];
    const auto found = entries_.find({a, b});
    const auto* const entry = found == entries_.end() ? nullptr : found->second;
    if (entry == nullptr && !in_mesh(one.site, other.site)) return;
    PlannedLink link;
    // Of two gateways behind NAT, neither can accept.
    if (one.is_behind_nat() && other.is_behind_nat()) return;
    const bool first_initiates = one.is_behind_nat() != other.is_behind_nat()
                                     ? one.is_behind_nat()
                                     : natural_less(one.name, other.name);
    link.gateways = first_initiates ? std::array{a, b} : std::array{b, a};
    const auto both = [&](Family family) { return one.may_have(family) && other.may_have(family); };
    link.family = topology_.organisation.prefer;
    link.psk = topology_.organisation.psk;
    link.detection = topology_.organisation.detection;
    link.lanes = topology_.organisation.lanes;
    link.link_local = topology_.organisation.link_local;
    if (!both(link.family)) link.family = link.family == Family::ipv4 ? Family::ipv6 : Family::ipv4;
    if (entry != nullptr) {
      link.cost = entry->cost;
      link.bandwidth_mbit = entry->bandwidth_mbit;
      link.psk = entry->psk.value_or(link.psk);
      link.detection = entry->detection.value_or(link.detection);
      link.lanes = entry->lanes.value_or(link.lanes);
      link.link_local = entry->link_local.value_or(link.link_local);
      if (entry->family) link.family = entry->family->value;
    }
    // A mesh has no link between gateways without a common address family.
    if (!both(link.family)) return;
    linked_[one.site][other.site] = linked_[other.site][one.site] = true;
    links_.push_back(link);
  }

  // The sites to which this site should have a link, but has none.
  [[nodiscard]] std::vector<std::size_t> missing_of(std::size_t site) const {
    std::vector<std::size_t> missing;
    for (std::size_t other = 0; other < topology_.sites.size(); ++other) {
      const bool has_link = other == site || linked_[site][other];
      if (!has_link && in_mesh(site, other) && !is_reported_[other]) missing.push_back(other);
    }
    return missing;
  }

  // A site of another address family is one fault, not one for each site it cannot reach. Sites
  // with the most missing links come first; a site that misses only those is not reported.
  void sites_without_links() {
    const auto& sites = topology_.sites;
    std::vector<std::pair<std::size_t, std::size_t>> by_missing;
    for (std::size_t site = 0; site < sites.size(); ++site) {
      if (const auto count = missing_of(site).size(); count > 0)
        by_missing.emplace_back(count, site);
    }
    std::sort(by_missing.rbegin(), by_missing.rend());
    for (const auto& [count, site] : by_missing) {
      const auto missing = missing_of(site);
      if (missing.empty()) continue;
      is_reported_[site] = true;
      std::string others = " and " + std::to_string(missing.size() - 1) + " more";
      if (missing.size() == 1) others.clear();
      faults_.push_back({sites[site].line, "site " + sites[site].name + " has no link to site " +
                                               sites[missing.front()].name + others + ": " +
                                               why_no_link(site, missing.front())});
    }
    if (topology_.organisation.mesh != Mesh::explicit_links) return;
    for (std::size_t site = 0; site < sites.size(); ++site) {
      if (std::ranges::count(linked_[site], true) > 0) continue;
      is_reported_[site] = true;
      faults_.push_back({sites[site].line, "site " + sites[site].name + " has no link"});
    }
    separate_sites();
  }

  // Of an explicit topology: each site has a path to the first.
  void separate_sites() {
    const auto& sites = topology_.sites;
    std::vector<bool> has_path(sites.size(), false);
    std::vector<std::size_t> to_visit;
    const auto reach = [&](std::size_t site) {
      if (!has_path[site]) to_visit.push_back(site);
      has_path[site] = true;
    };
    for (std::size_t first = 0; first < sites.size(); ++first) {
      if (has_path[first] || is_reported_[first]) continue;
      if (first > 0 && !is_reported_[0]) {
        faults_.push_back({sites[first].line, "site " + sites[first].name +
                                                  " has no path to site " + sites[0].name +
                                                  ": no links join them"});
      }
      reach(first);
      while (!to_visit.empty()) {
        const auto site = to_visit.back();
        to_visit.pop_back();
        for (std::size_t other = 0; other < sites.size(); ++other) {
          if (linked_[site][other]) reach(other);
        }
      }
    }
  }

  [[nodiscard]] bool is_behind_nat(std::size_t site) const {
    return std::ranges::all_of(topology_.sites[site].gateways, [&](std::size_t gateway) {
      return topology_.gateways[gateway].is_behind_nat();
    });
  }

  [[nodiscard]] std::string why_no_link(std::size_t site, std::size_t other) const {
    if (!is_behind_nat(site) || !is_behind_nat(other)) {
      return "no two of their gateways have public addresses of the same family";
    }
    std::string text = "all their gateways are behind NAT; ";
    for (std::size_t hub = 0; hub < topology_.sites.size(); ++hub) {
      if (is_behind_nat(hub)) continue;
      return text + "site " + topology_.sites[hub].name +
             " could relay: set mesh = \"hub-and-spoke\" and hubs = \"" +
             topology_.sites[hub].name + "\"";
    }
    return text + "give one of them an address";
  }

  // Every gateway of a mesh must have a link.
  void gateways_without_links() {
    if (topology_.organisation.mesh == Mesh::explicit_links || !faults_.empty()) return;
    std::vector<bool> has_one(topology_.gateways.size(), topology_.sites.size() == 1);
    for (const auto& link : links_) {
      for (const auto gateway : link.gateways) has_one[gateway] = true;
    }
    for (std::size_t i = 0; i < has_one.size(); ++i) {
      if (has_one[i]) continue;
      const auto& gateway = topology_.gateways[i];
      const std::string why =
          gateway.is_behind_nat()
              ? "it is behind NAT, as all gateways of the sites that it has links to"
              : "no gateway of another site has a public address of its family";
      faults_.push_back({gateway.line, "gateway " + gateway.name + " has no link: " + why});
    }
  }

  const Topology& topology_;
  Faults& faults_;
  std::vector<bool> is_hub_;
  std::vector<bool> is_reported_;          // as a site with missing links
  std::vector<std::vector<bool>> linked_;  // per pair of sites
  std::map<std::array<std::size_t, 2>, const LinkEntry*> entries_;
  std::vector<PlannedLink> links_;
};

// First the reflectors of the old lock that still exist, then the first gateway of other sites.
// None is behind NAT: it would have no link to others behind NAT.
std::vector<std::size_t> chosen_reflectors(const Topology& topology, const Lock& before) {
  std::vector<std::size_t> chosen;
  std::vector<bool> has_one(topology.sites.size(), false);
  const auto choose = [&](std::size_t gateway) {
    const auto site = topology.gateways[gateway].site;
    if (has_one[site] || chosen.size() == most_reflectors) return;
    if (topology.gateways[gateway].is_behind_nat()) return;
    has_one[site] = true;
    chosen.push_back(gateway);
  };
  for (const auto& name : before.reflectors) {
    if (const auto gateway = topology.find_gateway(name)) choose(*gateway);
  }
  for (const auto& site : topology.sites) std::ranges::for_each(site.gateways, choose);
  return chosen;
}

void require_reachable_reflectors(const Plan& plan, Faults& faults) {
  for (std::size_t i = 0; i < plan.topology.gateways.size(); ++i) {
    const auto& own = plan.links_of[i];
    const bool reached = std::ranges::any_of(own, [&](std::size_t link) {
      return plan.is_reflector[plan.peer_of(plan.links[link], i)];
    });
    const auto& gateway = plan.topology.gateways[i];
    if (reached || plan.is_reflector[i]) continue;
    faults.push_back({gateway.line, "gateway " + gateway.name +
                                        " has no link to a route reflector; add a gateway of "
                                        "another site and of its address family to reflectors"});
  }
}

}  // namespace

std::vector<PlannedLink> choose_links(const Topology& topology, Faults& faults) {
  return LinkChooser(topology, faults).run();
}

void choose_reflectors(Plan& plan, const Lock& before, Faults& faults) {
  const auto& topology = plan.topology;
  const auto& organisation = topology.organisation;
  plan.is_reflector.assign(topology.gateways.size(), false);
  for (const auto& hub : organisation.hubs) {
    for (const auto gateway : topology.sites[*topology.find_site(hub.value)].gateways) {
      plan.is_reflector[gateway] = true;
    }
  }
  for (const auto& name : organisation.reflectors) {
    plan.is_reflector[*topology.find_gateway(name.value)] = true;
  }
  const bool large = organisation.mesh == Mesh::full &&
                     organisation.reflection == Reflection::by_size &&
                     topology.sites.size() > largest_ibgp_mesh;
  if (large || organisation.reflection == Reflection::chosen) {
    for (const auto gateway : chosen_reflectors(topology, before)) {
      plan.is_reflector[gateway] = true;
      plan.lock.reflectors.push_back(topology.gateways[gateway].name);
    }
  }
  if (organisation.mesh != Mesh::full || !plan.has_reflector()) return;
  plan.sessions = Sessions::to_reflectors;
  require_reachable_reflectors(plan, faults);
}

}  // namespace routevpn::plan
