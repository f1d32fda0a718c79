#include "routevpn/plan/render.hpp"

#include <algorithm>

#include "routevpn/plan/psk_roll.hpp"

namespace routevpn::plan {

namespace {

// Writes nothing for an empty value.
void line(std::string& text, std::string_view name, const std::string& value) {
  if (!value.empty()) text.append(name).append(" = ").append(value).append("\n");
}

// The prefixes of the sites behind the peer. A hub also passes on traffic of the other sites,
// because it reflects their routes with itself as next hop.
std::vector<IpPrefix> prefixes_behind(const Plan& plan, std::size_t gateway,
                                      const PlannedLink& link) {
  std::vector<IpPrefix> prefixes;
  const auto peer = plan.peer_of(link, gateway);
  const bool is_hub = plan.is_reflector[peer] && plan.sessions == Sessions::over_each_link;
  for (std::size_t site = 0; site < plan.topology.sites.size(); ++site) {
    const bool behind = is_hub ? site != plan.topology.gateways[gateway].site
                               : site == plan.topology.gateways[peer].site;
    if (!behind) continue;
    for (const auto& prefix : plan.topology.sites[site].prefixes) {
      const bool repeated = std::ranges::find(prefixes, prefix.value) != prefixes.end();
      if (!repeated) prefixes.push_back(prefix.value);
    }
  }
  return prefixes;
}

// Without any prefix only the addresses of the link itself are accepted. For `routed`, Linux 6.18
// and older look at one next hop of an IPv6 ECMP route only, and BIRD makes such routes: so the
// planned IPv6 prefixes stand beside it.
std::vector<std::string> accepted_sources(const Plan& plan, std::size_t gateway,
                                          const PlannedLink& link) {
  const auto accept = plan.topology.organisation.accept;
  std::vector<std::string> accepted;
  if (accept == Accept::any) return accepted;
  if (accept == Accept::routed) accepted.emplace_back("routed");
  for (const auto& prefix : prefixes_behind(plan, gateway, link)) {
    const bool looked_up = accept == Accept::routed && prefix.address.is_v4();
    if (!looked_up) accepted.push_back(prefix.to_string());
  }
  if (!accepted.empty()) return accepted;
  for (const auto family : both_families) {
    if (const auto own = plan.interconnect(link, gateway, family)) {
      accepted.push_back(own->network().to_string());
    }
  }
  return accepted;
}

std::string remark_on(const PlannedLink& link) {
  std::string text;
  if (link.bandwidth_mbit) text += ", " + std::to_string(*link.bandwidth_mbit) + " Mbit/s";
  if (link.cost) text += ", cost " + std::to_string(*link.cost);
  return text;
}

void add_if_any(PlannedFiles& files, std::string path, std::string content) {
  if (!content.empty()) files.push_back({std::move(path), std::move(content)});
}

}  // namespace

std::string render_link(const Plan& plan, std::size_t gateway, const PlannedLink& link) {
  const auto& own = plan.topology.gateways[gateway];
  const auto& peer = plan.topology.gateways[plan.peer_of(link, gateway)];
  const auto* const own_address = own.address(link.family);
  const auto* const peer_address = peer.address(link.family);
  const auto port = plan.port_of(link);
  const auto in_text = [port](const IpAddress& address) {
    return SocketAddress{address, port}.to_string();
  };
  const bool initiates = link.gateways[0] == gateway;
  std::string text = "# " + own.name + " to " + peer.name + remark_on(link) + ". " + planned_mark;
  if (initiates) {
    const auto at_host = peer.host + ":" + std::to_string(port);
    line(text, "peer", peer_address != nullptr ? in_text(*peer_address) : at_host);
  }
  // An initiator with an unknown address sends from an address and a port of the kernel.
  if (own_address != nullptr) line(text, "listen", in_text(*own_address));
  if (own_address == nullptr && !initiates) line(text, "listen", std::to_string(port));
  if (!initiates && peer_address != nullptr) {
    line(text, "allow", IpPrefix{*peer_address, peer_address->bits()}.to_string());
  }
  line(text, "peer-name", peer.name);
  line(text, "ifname", peer.ifname);
  line(text, "netns", own.settings.netns);
  line(text, "public-netns", own.settings.public_netns);
  for (const auto family : both_families) {
    const auto address = plan.interconnect(link, gateway, family);
    if (address) line(text, "address", address->to_string());
  }
  // The lower address is the initiator's, as on the interconnect.
  if (link.link_local) line(text, "address", initiates ? "fe80::1/64" : "fe80::2/64");
  for (const auto& source : accepted_sources(plan, gateway, link)) line(text, "accept", source);
  line(text, "cert", own.settings.cert);
  line(text, "key", own.settings.key);
  line(text, "ca", own.settings.ca);
  line(text, "crl", own.settings.crl);
  if (link.psk) {
    for (const auto& file : PskRoll(plan.lock.psk_steps).files(peer.ifname)) {
      line(text, "psk", own.settings.psk_dir + "/" + file);
    }
  }
  line(text, "detection", link.detection);
  if (link.lanes > 1) line(text, "lanes", std::to_string(link.lanes));
  line(text, "run-dir", own.settings.run_dir);
  return text;
}

PlannedFiles render(const Plan& plan) {
  PlannedFiles files;
  const auto& topology = plan.topology;
  files.reserve(topology.gateways.size() * 5 + topology.routers.size() + plan.links.size() * 2);
  for (std::size_t i = 0; i < topology.gateways.size(); ++i) {
    const std::string directory = topology.gateways[i].name + "/";
    for (const auto index : plan.links_of[i]) {
      const auto& link = plan.links[index];
      const auto& peer = topology.gateways[plan.peer_of(link, i)];
      files.push_back({directory + "links/" + peer.ifname + ".conf", render_link(plan, i, link)});
    }
    files.push_back({directory + "bird/public.conf", render_public_bird(plan, i)});
    files.push_back({directory + "bird/private.conf", render_private_bird(plan, i)});
    add_if_any(files, directory + "netns/public.conf", render_public_netns(plan, i));
    add_if_any(files, directory + "netns/" + topology.gateways[i].settings.netns + ".conf",
               render_private_netns(plan, i));
    add_if_any(files, directory + "exporter/" + topology.gateways[i].settings.netns + ".conf",
               render_exporter(plan, i));
    add_if_any(files, directory + "exporter/topology.toml", render_exporter_topology(plan, i));
    files.push_back({directory + "units", render_units(plan, i)});
  }
  for (std::size_t i = 0; i < topology.routers.size(); ++i) {
    files.push_back({topology.routers[i].name + "/bird/bird.conf", render_router_bird(plan, i)});
  }
  return files;
}

}  // namespace routevpn::plan
