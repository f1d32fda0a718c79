#include "check.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "values.hpp"

namespace routevpn::plan {

namespace {

std::string of_line(Line line) {
  return " (line " + std::to_string(line) + ")";
}

class Checker {
 public:
  Checker(Topology& topology, Faults& faults) : topology_(topology), faults_(faults) {}

  void run() {
    names();
    addresses();
    networks();
    defaults();
    families_inside();
    hubs();
    reflectors();
    links();
  }

 private:
  using Seen = std::map<std::string, Line, std::less<>>;

  void fault(Line line, std::string text) { faults_.push_back({line, std::move(text)}); }

  void once(Seen& seen, const std::string& what, const std::string& name, Line line) {
    if (name.empty()) return;  // a fault already
    const auto [at, fresh] = seen.emplace(name, line);
    if (!fresh) fault(line, what + " " + name + " is there already" + of_line(at->second));
  }

  void names() {
    Seen sites;
    Seen nodes;
    Seen interfaces;
    Seen symbols;
    for (const auto& site : topology_.sites) once(sites, "site", site.name, site.line);
    for (const auto& gateway : topology_.gateways) {
      const bool nodes_again = nodes.contains(gateway.name);
      once(nodes, "gateway", gateway.name, gateway.line);
      if (nodes_again) continue;
      once(interfaces, "ifname", gateway.ifname, gateway.line);
      if (is_of_a_site(gateway.ifname)) {
        fault(gateway.line, "ifname " + gateway.ifname + " is an interface towards a site, in lan");
      }
      // V-1 and V_1 would be the same word there.
      once(symbols, "gateway as BIRD calls it,", symbol_of(gateway.name), gateway.line);
    }
    for (const auto& router : topology_.routers) once(nodes, "router", router.name, router.line);
  }

  [[nodiscard]] bool is_of_a_site(const std::string& ifname) const {
    return std::any_of(
        topology_.gateways.begin(), topology_.gateways.end(), [&](const Gateway& gateway) {
          const auto& lan = gateway.around.lan;
          return !ifname.empty() && std::find(lan.begin(), lan.end(), ifname) != lan.end();
        });
  }

  void addresses() {
    Seen seen;
    for (const auto& gateway : topology_.gateways) {
      for (const auto& address : gateway.addresses) {
        once(seen, "address", address.to_string(), gateway.line);
      }
    }
  }

  struct Network {
    IpPrefix prefix;
    Line line;
    std::string what;
  };

  [[nodiscard]] std::vector<Network> all_networks() const {
    std::vector<Network> all;
    const auto& organisation = topology_.organisation;
    for (const auto* const pool : {&organisation.interconnect4, &organisation.interconnect6}) {
      if (*pool) all.push_back({(*pool)->value, (*pool)->line, "interconnect pool"});
    }
    for (const auto& site : topology_.sites) {
      for (const auto& prefix : site.prefixes) {
        if (is_default(prefix.value)) continue;
        all.push_back({prefix.value, prefix.line, "prefix of site " + site.name});
      }
    }
    for (const auto& gateway : topology_.gateways) {
      for (const auto& address : gateway.addresses) {
        all.push_back(
            {{address, address.bits()}, gateway.line, "public address of " + gateway.name});
      }
    }
    return all;
  }

  // In the order of addresses a network that lies in another comes right behind it, or behind
  // others that lie in it too.
  void networks() {
    auto all = all_networks();
    std::stable_sort(all.begin(), all.end(),
                     [](const Network& a, const Network& b) { return a.prefix < b.prefix; });
    const Network* around = nullptr;
    for (const auto& network : all) {
      if (around == nullptr || !overlap(around->prefix, network.prefix)) {
        around = &network;
        continue;
      }
      const bool equal_addresses =
          network.what.starts_with("public") && around->prefix == network.prefix;
      if (equal_addresses && around->what.starts_with("public")) continue;  // a fault already
      const auto& [later, earlier] =
          around->line > network.line ? std::pair(*around, network) : std::pair(network, *around);
      fault(later.line, later.what + " " + later.prefix.to_string() + " overlaps " +
                            earlier.prefix.to_string() + ", " + earlier.what +
                            of_line(earlier.line));
    }
  }

  void defaults() {
    for (const auto& site : topology_.sites) {
      Seen seen;
      for (const auto& prefix : site.prefixes) {
        if (is_default(prefix.value)) once(seen, "prefix", prefix.value.to_string(), prefix.line);
      }
    }
  }

  void families_inside() {
    if (topology_.organisation.names_interconnect6 || !topology_.organisation.interconnect4) return;
    for (const auto& site : topology_.sites) {
      for (const auto& prefix : site.prefixes) {
        if (prefix.value.address.is_v4()) continue;
        fault(prefix.line, "prefix " + prefix.value.to_string() +
                               " is of IPv6, which needs interconnect6 in [organisation]");
      }
    }
  }

  void hubs() {
    const auto& organisation = topology_.organisation;
    const bool wanted = organisation.mesh == Mesh::hub_and_spoke;
    if (wanted && organisation.hubs.empty() && !organisation.names_hubs_badly) {
      fault(organisation.line, "mesh \"hub-and-spoke\" needs hubs, a list of sites");
    }
    if (!wanted && !organisation.hubs.empty() && !organisation.names_mesh_badly) {
      fault(organisation.hubs.front().line, "hubs: needs mesh = \"hub-and-spoke\"");
    }
    Seen seen;
    for (const auto& hub : organisation.hubs) {
      if (!topology_.find_site(hub.value)) {
        fault(hub.line, "hubs: there is no site '" + hub.value + "'");
      }
      once(seen, "hub", hub.value, hub.line);
    }
  }

  void reflectors() {
    const auto& organisation = topology_.organisation;
    if (organisation.mesh == Mesh::hub_and_spoke &&
        organisation.reflection != Reflection::by_size) {
      const auto line = organisation.reflectors.empty() ? organisation.line
                                                        : organisation.reflectors.front().line;
      fault(line, "reflectors: with mesh \"hub-and-spoke\" the hubs' gateways are the reflectors");
    }
    Seen seen;
    for (const auto& reflector : organisation.reflectors) {
      if (!topology_.find_gateway(reflector.value)) {
        fault(reflector.line, "reflectors: there is no gateway '" + reflector.value + "'");
      }
      once(seen, "reflector", reflector.value, reflector.line);
    }
  }

  void links() {
    if (topology_.organisation.mesh == Mesh::explicit_links && topology_.links.empty()) {
      fault(topology_.organisation.line, "mesh \"explicit\" needs at least one [[link]]");
    }
    std::map<std::array<std::size_t, 2>, Line> seen;
    for (auto& link : topology_.links) {
      if (!find_ends(link)) continue;
      auto pair = link.gateways;
      std::sort(pair.begin(), pair.end());
      const auto [at, fresh] = seen.emplace(pair, link.line);
      if (!fresh) fault(link.line, text_of(link) + " is there already" + of_line(at->second));
      if (fresh) check_link(link);
    }
  }

  static std::string text_of(const LinkWish& link) {
    return "the link between " + link.ends[0].value + " and " + link.ends[1].value;
  }

  // Of a gateway whose name is wrong nobody knows whether it was meant.
  bool find_ends(LinkWish& link) {
    bool found = true;
    const bool all_have_names =
        std::none_of(topology_.gateways.begin(), topology_.gateways.end(),
                     [](const Gateway& gateway) { return gateway.name.empty(); });
    for (std::size_t i = 0; i < 2; ++i) {
      const auto index = topology_.find_gateway(link.ends[i].value);
      if (index) link.gateways[i] = *index;
      if (!index && all_have_names)
        fault(link.ends[i].line, "between: there is no gateway '" + link.ends[i].value + "'");
      found = found && index.has_value();
    }
    return found;
  }

  void check_link(const LinkWish& link) {
    const auto& a = topology_.gateways[link.gateways[0]];
    const auto& b = topology_.gateways[link.gateways[1]];
    if (a.site == b.site) {
      fault(link.line, text_of(link) + " would not leave site " + topology_.sites[a.site].name);
      return;
    }
    if (link.family) {
      const bool first = a.address(link.family->value) == nullptr;
      if (!first && b.address(link.family->value) != nullptr) return;
      fault(link.family->line, text_of(link) + " cannot use " +
                                   std::string(name_of(link.family->value)) + ": " +
                                   (first ? a : b).name + " has no such address");
      return;
    }
    const auto both = [&](Family family) { return a.address(family) && b.address(family); };
    if (!a.addresses.empty() && !b.addresses.empty() && !both(Family::ipv4) &&
        !both(Family::ipv6)) {
      fault(link.line, text_of(link) + " needs public addresses of one family at both ends");
    }
  }

  Topology& topology_;
  Faults& faults_;
};

}  // namespace

void check(Topology& topology, Faults& faults) {
  Checker(topology, faults).run();
}

}  // namespace routevpn::plan
