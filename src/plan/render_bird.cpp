// The BIRD files of gateways and site routers. They include the commented constant files in bird/.
#include <algorithm>
#include <vector>

#include "routevpn/bird/empty_set.hpp"
#include "routevpn/plan/render.hpp"

namespace routevpn::plan {

namespace {

char digit_of(Family family) {
  return family == Family::ipv4 ? '4' : '6';
}

std::string channel_of(Family family) {
  return std::string("ipv") + digit_of(family);
}

// A prefix in a filter, alone or with all of its more specific prefixes.
struct Filtered {
  IpPrefix prefix;
  bool with_more_specific = false;
  bool operator==(const Filtered&) const = default;
};

// "[ 10.0.1.0/24, 10.9.0.0/16+ ]".
std::string set_of(const std::vector<Filtered>& prefixes, Family family) {
  std::string text;
  for (const auto& [prefix, with_more_specific] : prefixes) {
    if (family_of(prefix.address) != family) continue;
    text += (text.empty() ? "" : ", ") + prefix.to_string();
    if (with_more_specific) text += "+";
  }
  if (text.empty()) text = family == Family::ipv4 ? bird::empty_set4 : bird::empty_set6;
  return "[ " + text + " ]";
}

// Every prefix is more specific than a default route, so that stays alone.
std::vector<Filtered> prefixes_of(const Site& site) {
  std::vector<Filtered> prefixes;
  const bool all = site.announce.value == Announce::more_specific;
  for (const auto& prefix : site.prefixes) {
    prefixes.push_back({prefix.value, all && !is_default(prefix.value)});
  }
  return prefixes;
}

bool has(const std::vector<Filtered>& prefixes, Family family) {
  return std::ranges::any_of(
      prefixes, [&](const auto& filtered) { return family_of(filtered.prefix.address) == family; });
}

std::string head_of(const Plan& plan, const std::string& name, const std::string& what) {
  return "# " + name + ", " + what + ". " + planned_mark + "router id " +
         text_of_id(plan.lock.ids.at(name)) + ";\n\n";
}

std::string define(const std::string& name, const std::string& value) {
  return "define " + name + " = " + value + ";\n";
}

// NAME4 and NAME6.
std::string define_sets(const std::string& name, const std::vector<Filtered>& prefixes) {
  std::string text;
  for (const auto family : both_families) {
    text += define(name + digit_of(family), set_of(prefixes, family));
  }
  return text;
}

std::string include(const std::string& directory, const std::string& file) {
  return "include \"" + directory + "/" + file + "\";\n";
}

// OWN4, OWN6: the prefixes of the own site. OTHER4, OTHER6: those of all other sites.
std::string define_networks(const Topology& topology, std::size_t own) {
  std::vector<Filtered> others;
  for (std::size_t i = 0; i < topology.sites.size(); ++i) {
    if (i == own) continue;
    for (const auto& prefix : prefixes_of(topology.sites[i])) {
      // Only a default route can occur in several sites.
      const bool repeated = is_default(prefix.prefix) &&
                            std::find(others.begin(), others.end(), prefix) != others.end();
      if (!repeated) others.push_back(prefix);
    }
  }
  return define_sets("OWN", prefixes_of(topology.sites[own])) + define_sets("OTHER", others) + "\n";
}

// An OSPFv3 instance. Its braces include the file `settings`, those of each interface
// `of_interface`.
std::string ospf(const std::string& name, const std::string& directory, const std::string& settings,
                 const std::vector<std::string>& interfaces, const std::string& of_interface) {
  std::string text = "\nprotocol ospf v3 " + name + " {\n  " + include(directory, settings);
  text += "  area 0 {\n";
  for (const auto& interface : interfaces) {
    text += "    interface \"" + interface + "\" {\n      " + include(directory, of_interface) +
            "    };\n";
  }
  return text + "  };\n}\n";
}

std::string site_ospf(const std::string& directory, const std::string& role,
                      const std::vector<std::string>& interfaces) {
  if (interfaces.empty()) return {};
  std::string text;
  for (const auto family : both_families) {
    text += ospf(std::string("SITE_") + digit_of(family), directory,
                 role + digit_of(family) + "_ospf.conf", interfaces, "lan.conf");
  }
  return text;
}

std::vector<std::string> names_of(const std::vector<Interface>& interfaces) {
  std::vector<std::string> names;
  names.reserve(interfaces.size());
  for (const auto& interface : interfaces) names.push_back(interface.name);
  return names;
}

std::string own_networks(const GatewaySettings& settings) {
  std::string text =
      "\nprotocol direct SITE_OWN {\n  " + include(settings.include, "own_direct.conf");
  for (const auto& name : names_of(settings.lan)) text += "  interface \"" + name + "\";\n";
  return text + "}\n";
}

// The planned prefixes of which this gateway has a smaller network on a LAN interface.
std::string aggregates(const Site& site, const Gateway& own) {
  if (site.announce.value != Announce::aggregate) return {};
  std::string text;
  for (const auto family : both_families) {
    std::string routes;
    for (const auto& [prefix, line] : site.prefixes) {
      const auto interfaces = interfaces_within(own, prefix);
      if (family_of(prefix.address) != family || is_default(prefix) || interfaces.empty()) continue;
      routes += "  route " + prefix.to_string();
      for (const auto& name : interfaces) routes += " via \"" + name + "\"";
      routes += ";\n";
    }
    if (routes.empty()) continue;
    text += std::string("\nprotocol static AGGREGATE_") + digit_of(family) + " {\n  ";
    text += include(own.settings.include, std::string("aggregate") + digit_of(family) + ".conf");
    text += routes + "}\n";
  }
  return text;
}

std::string template_of(const Plan& plan, bool reflects, bool peer_reflects) {
  const bool to_client = reflects && !peer_reflects;
  if (plan.sessions == Sessions::to_reflectors) return to_client ? "TO_CLIENT" : "TO_REFLECTOR";
  if (to_client) return "TO_SPOKE";
  return peer_reflects ? "TO_HUB" : "IBGP";
}

std::string channel(const Plan& plan, const PlannedLink& link, std::size_t peer, Family family) {
  std::string text;
  const auto& organisation = plan.topology.organisation;
  const bool to_reflectors = plan.sessions == Sessions::to_reflectors;
  const auto theirs = prefixes_of(plan.topology.sites[plan.topology.gateways[peer].site]);
  // A reflector sends the routes of all other sites; the template filters them.
  if (!plan.is_reflector[peer] && has(theirs, family)) {
    text += " import where net ~ " + set_of(theirs, family) + ";";
  }
  // IPv6 routes cannot have IPv4 next hops.
  const bool resolves = family == Family::ipv4 || plan.session_family() == Family::ipv6;
  if (to_reflectors && resolves) text += " igp table next_hops;";
  const bool ipv6_next_hops =
      organisation.interconnect6 && (!organisation.interconnect4 || to_reflectors);
  if (family == Family::ipv4 && ipv6_next_hops) text += " extended next hop yes;";
  if (!to_reflectors && plan.has_costs) {
    text += " cost " + std::to_string(plan.cost_of(link)) + ";";
  }
  return text.empty() ? text : "  " + channel_of(family) + " {" + text + " };\n";
}

std::string session(const Plan& plan, std::size_t gateway, const PlannedLink& link) {
  const auto peer = plan.peer_of(link, gateway);
  const auto& name = plan.topology.gateways[peer].name;
  const auto& ifname = plan.topology.gateways[peer].ifname;
  const auto end = [&](std::size_t index) {
    const auto address = plan.interconnect(link, index, plan.session_family())->address;
    return address.to_string() + " as ORG_AS;\n";
  };
  std::string text = "\nprotocol bgp IBGP_" + symbol_of(name) + " from " +
                     template_of(plan, plan.is_reflector[gateway], plan.is_reflector[peer]) +
                     " {\n  description \"" + name + " through " + ifname + "\";\n  interface \"" +
                     ifname + "\";\n  local " + end(gateway) + "  neighbor " + end(peer);
  for (const auto family : both_families) text += channel(plan, link, peer, family);
  return text + "}\n";
}

// A route to the BGP next hop of each peer, over the direct link while that link works.
std::string next_hops(const Plan& plan, std::size_t gateway) {
  const auto family = plan.session_family();
  std::string text = "\nprotocol static NEXT_HOPS {\n  check link yes;\n  " + channel_of(family) +
                     " { table next_hops; };\n";
  for (const auto index : plan.links_of[gateway]) {
    const auto& link = plan.links[index];
    const auto peer = plan.peer_of(link, gateway);
    const auto host = plan.next_hop(peer);
    text += "  route " + IpPrefix{host, host.bits()}.to_string() + " via " +
            plan.interconnect(link, peer, family)->address.to_string() + " bfd yes";
    if (plan.has_costs) text += " { igp_metric = " + std::to_string(plan.cost_of(link)) + "; }";
    text += ";\n";
  }
  return text + "}\n";
}

std::vector<Filtered> private_networks(const Topology& topology) {
  std::vector<Filtered> networks;
  const auto& organisation = topology.organisation;
  for (const auto family : both_families) {
    if (const auto& pool = organisation.interconnect(family))
      networks.push_back({pool->value, true});
  }
  for (const auto& site : topology.sites) {
    for (const auto& prefix : site.prefixes) {
      if (!is_default(prefix.value)) networks.push_back({prefix.value, true});
    }
  }
  return networks;
}

}  // namespace

std::string render_public_bird(const Plan& plan, std::size_t gateway) {
  const auto& own = plan.topology.gateways[gateway];
  std::string text = head_of(plan, own.name, "public side");
  const auto networks = private_networks(plan.topology);
  for (const auto family : both_families) {
    const auto* const address = own.address(family);
    if (address == nullptr) continue;
    text += define(std::string("PUBLIC") + digit_of(family),
                   set_of({{{*address, address->bits()}}}, family));
    text += define(std::string("PRIVATE") + digit_of(family), set_of(networks, family));
  }
  text += "\n" + include(own.settings.include, "public.conf");
  for (const auto family : both_families) {
    if (own.address(family) == nullptr || own.settings.underlay.empty()) continue;
    text += ospf(std::string("PUBLIC_") + digit_of(family), own.settings.include,
                 std::string("public") + digit_of(family) + "_ospf.conf",
                 names_of(own.settings.underlay), "wan.conf");
  }
  return text;
}

std::string render_private_bird(const Plan& plan, std::size_t gateway) {
  const auto& own = plan.topology.gateways[gateway];
  const auto& directory = own.settings.include;
  const bool to_reflectors = plan.sessions == Sessions::to_reflectors;
  std::string text = head_of(plan, own.name, "private side");
  text += define("ORG_AS", std::to_string(plan.topology.organisation.as));
  text += define_networks(plan.topology, own.site);
  if (to_reflectors) {
    text += define("SELF", plan.next_hop(gateway).to_string());
    text += channel_of(plan.session_family()) + " table next_hops;\n\n";
  }
  text += include(directory, "private.conf");
  if (plan.has_reflector()) {
    text += include(directory, to_reflectors ? "reflectors.conf" : "hubs.conf");
  }
  text += own_networks(own.settings);
  text += aggregates(plan.topology.sites[own.site], own);
  text += site_ospf(directory, "site", names_of(own.settings.lan));
  if (to_reflectors) text += next_hops(plan, gateway);
  for (const auto index : plan.links_of[gateway]) {
    if (plan.has_session(plan.links[index])) text += session(plan, gateway, plan.links[index]);
  }
  return text;
}

std::string render_router_bird(const Plan& plan, std::size_t router) {
  const auto& own = plan.topology.routers[router];
  return head_of(plan, own.name, "site router") + define_networks(plan.topology, own.site) +
         include(own.include, "site_router.conf") + site_ospf(own.include, "router", own.lan);
}

}  // namespace routevpn::plan
