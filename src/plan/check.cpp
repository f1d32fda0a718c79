#include "check.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "check_machines.hpp"
#include "values.hpp"

namespace routevpn::plan {

namespace {

class Checker {
 public:
  Checker(Topology& topology, Faults& faults) : topology_(topology), faults_(faults) {}

  void run() {
    names();
    addresses();
    networks();
    prefixes();
    hubs();
    reflectors();
    links();
  }

 private:
  using Seen = std::map<std::string, Line, std::less<>>;

  void fault(Line line, std::string text) { faults_.push_back({line, std::move(text)}); }

  void duplicate(Line line, const std::string& what, Line first) {
    fault(line, "duplicate " + what + ", first in line " + std::to_string(first));
  }

  void once(Seen& seen, const std::string& what, const std::string& name, Line line) {
    if (name.empty()) return;  // the parser has reported it
    const auto [at, is_new] = seen.emplace(name, line);
    if (!is_new) duplicate(line, what + " " + name, at->second);
  }

  void names() {
    Seen sites;
    Seen nodes;
    Seen interfaces;
    Seen symbols;
    for (const auto& site : topology_.sites) once(sites, "site", site.name, site.line);
    for (const auto& gateway : topology_.gateways) {
      const bool is_duplicate = nodes.contains(gateway.name);
      once(nodes, "gateway", gateway.name, gateway.line);
      if (is_duplicate) continue;
      once(interfaces, "ifname", gateway.ifname, gateway.line);
      if (is_lan_interface(gateway.ifname)) {
        fault(gateway.line,
              "ifname " + gateway.ifname + " is also in lan, the interfaces to a site");
      }
      // V-1 and V_1 have the same symbol.
      once(symbols, "BIRD symbol of a gateway", symbol_of(gateway.name), gateway.line);
    }
    for (const auto& router : topology_.routers) once(nodes, "router", router.name, router.line);
  }

  [[nodiscard]] bool is_lan_interface(const std::string& ifname) const {
    return !ifname.empty() && std::ranges::any_of(topology_.gateways, [&](const Gateway& gateway) {
      return std::ranges::count(gateway.settings.lan, ifname, &Interface::name) > 0;
    });
  }

  void addresses() {
    Seen seen;
    for (const auto& gateway : topology_.gateways) {
      for (const auto& address : gateway.addresses) {
        once(seen, "address", address.to_string(), gateway.line);
      }
      once(seen, "address", gateway.host, gateway.line);
      if (gateway.exporter) once(seen, "exporter", gateway.exporter->to_string(), gateway.line);
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
    for (const auto family : both_families) {
      const auto& pool = organisation.interconnect(family);
      if (pool) all.push_back({pool->value, pool->line, "interconnect pool"});
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

  // Sorted by address, a network directly follows the network that contains it, or follows other
  // networks inside the same one.
  void networks() {
    auto all = all_networks();
    std::ranges::stable_sort(all, {}, &Network::prefix);
    const Network* outer = nullptr;
    for (const auto& network : all) {
      if (outer == nullptr || !overlap(outer->prefix, network.prefix)) {
        outer = &network;
        continue;
      }
      const bool equal = network.what.starts_with("public") && outer->prefix == network.prefix;
      if (equal && outer->what.starts_with("public")) continue;  // addresses() has reported it
      const auto& [later, earlier] =
          outer->line > network.line ? std::pair(*outer, network) : std::pair(network, *outer);
      fault(later.line, later.what + " " + later.prefix.to_string() + " overlaps " +
                            earlier.prefix.to_string() + ", " + earlier.what + " (line " +
                            std::to_string(earlier.line) + ")");
    }
  }

  void prefixes() {
    const auto& organisation = topology_.organisation;
    const bool has_pool6 = organisation.interconnect6 || organisation.invalid_interconnect6;
    for (const auto& site : topology_.sites) {
      Seen defaults;
      for (const auto& [prefix, line] : site.prefixes) {
        if (is_default(prefix)) once(defaults, "prefix", prefix.to_string(), line);
        if (prefix.address.is_v4() || has_pool6 || !organisation.interconnect4) continue;
        fault(line, "prefix " + prefix.to_string() +
                        ": IPv6 prefixes need interconnect6 in [organisation]");
      }
    }
  }

  // A list of names: each exists and occurs once.
  template <typename Find>
  void list(const std::string& what, const std::vector<At<std::string>>& names, const char* missing,
            Find find) {
    Seen seen;
    for (const auto& name : names) {
      if (!find(name.value)) fault(name.line, missing + name.value + "'");
      once(seen, what, name.value, name.line);
    }
  }

  void hubs() {
    const auto& organisation = topology_.organisation;
    const auto& hubs = organisation.hubs;
    const bool has_spokes = organisation.mesh == Mesh::hub_and_spoke;
    if (has_spokes && hubs.empty() && !organisation.invalid_hubs) {
      fault(organisation.line, "mesh \"hub-and-spoke\" needs hubs, a list of site names");
    }
    if (!has_spokes && !hubs.empty() && !organisation.invalid_mesh) {
      fault(hubs.front().line, "hubs: needs mesh = \"hub-and-spoke\"");
    }
    list("hub", hubs, "hubs: there is no site '",
         [&](const auto& name) { return topology_.find_site(name); });
  }

  void reflectors() {
    const auto& organisation = topology_.organisation;
    const auto& named = organisation.reflectors;
    if (organisation.mesh == Mesh::hub_and_spoke &&
        organisation.reflection != Reflection::by_size) {
      fault(named.empty() ? organisation.line : named.front().line,
            "reflectors: not allowed with mesh \"hub-and-spoke\", whose reflectors are the "
            "gateways of the hubs");
    }
    list("reflector", named, "reflectors: there is no gateway '",
         [&](const auto& name) { return topology_.find_gateway(name); });
  }

  void links() {
    if (topology_.organisation.mesh == Mesh::explicit_links && topology_.links.empty()) {
      fault(topology_.organisation.line, "mesh \"explicit\" needs at least one [[link]]");
    }
    std::map<std::array<std::size_t, 2>, Line> seen;
    for (auto& link : topology_.links) {
      if (!find_ends(link)) continue;
      std::ranges::sort(link.gateways);
      const auto [at, is_new] = seen.emplace(link.gateways, link.line);
      if (!is_new) duplicate(link.line, text_of(link), at->second);
      if (is_new) check_link(link);
    }
  }

  static std::string text_of(const LinkEntry& link) {
    return "link between " + link.ends[0].value + " and " + link.ends[1].value;
  }

  // A gateway whose name is invalid may be the missing end: no second fault then.
  bool find_ends(LinkEntry& link) {
    bool found = true;
    const bool all_have_names = !topology_.find_gateway("");
    for (std::size_t i = 0; i < 2; ++i) {
      const auto index = topology_.find_gateway(link.ends[i].value);
      if (index) link.gateways[i] = *index;
      if (!index && all_have_names)
        fault(link.ends[i].line, "between: there is no gateway '" + link.ends[i].value + "'");
      found = found && index.has_value();
    }
    return found;
  }

  void check_link(const LinkEntry& link) {
    const auto& a = topology_.gateways[*topology_.find_gateway(link.ends[0].value)];
    const auto& b = topology_.gateways[*topology_.find_gateway(link.ends[1].value)];
    if (a.site == b.site) {
      fault(link.line, text_of(link) + ": both ends are in site " + topology_.sites[a.site].name);
      return;
    }
    if (a.has_invalid_address || b.has_invalid_address) return;
    if (a.is_behind_nat() && b.is_behind_nat()) {
      fault(link.line, text_of(link) + ": both ends are behind NAT, so neither can accept" +
                           relay_between(a, b));
      return;
    }
    if (link.family) {
      const bool first = !a.may_have(link.family->value);
      if (!first && b.may_have(link.family->value)) return;
      const std::string family(name_of(link.family->value));
      fault(link.family->line,
            text_of(link) + ": " + (first ? a : b).name + " has no " + family + " address");
      return;
    }
    const bool any = std::ranges::any_of(
        both_families, [&](Family family) { return a.may_have(family) && b.may_have(family); });
    if (!any) fault(link.line, text_of(link) + ": the ends have no address family in common");
  }

  // A gateway of another site that both ends can reach.
  [[nodiscard]] std::string relay_between(const Gateway& a, const Gateway& b) const {
    const auto relay = std::ranges::find_if(topology_.gateways, [&](const Gateway& gateway) {
      return gateway.site != a.site && gateway.site != b.site && !gateway.is_behind_nat() &&
             !gateway.has_invalid_address;
    });
    if (relay == topology_.gateways.end()) return "; give one of them an address";
    return "; " + relay->name + " could relay: make site " + topology_.sites[relay->site].name +
           " a hub";
  }

  Topology& topology_;
  Faults& faults_;
};

}  // namespace

void check(Topology& topology, Faults& faults) {
  Checker(topology, faults).run();
  check_machines(topology, faults);
}

}  // namespace routevpn::plan
