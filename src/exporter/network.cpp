#include "routevpn/exporter/network.hpp"

#include <functional>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/plan/allocate.hpp"

#include "json_text.hpp"

namespace routevpn::exporter {

namespace {

void require_none(const plan::Faults& faults, const std::string& file) {
  if (faults.empty()) return;
  std::vector<std::string> lines;
  for (const auto& fault : faults) {
    lines.push_back("--topology " + file);
    lines.back().append(":").append(std::to_string(fault.line)).append(": ").append(fault.text);
  }
  throw UsageErrors(std::move(lines));
}

plan::Topology read_topology(const std::string& file) {
  plan::Faults faults;
  auto topology = plan::parse_topology(read_file(file), faults);
  require_none(faults, file);
  return topology;
}

json gateways_of(const Network& network) {
  json gateways = json::array();
  for (const auto& gateway : network.gateways) {
    gateways.push_back({{"name", gateway.name}, {"site", gateway.site}, {"lan", gateway.lan}});
    gateways.back()["exporter"] =
        gateway.exporter ? json(gateway.exporter->to_string()) : json(nullptr);
  }
  return gateways;
}

json links_of(const Network& network) {
  json links = json::array();
  for (const auto& link : network.links) {
    links.push_back({{"gateways", link.gateways}, {"names", link.names}});
  }
  return links;
}

}  // namespace

Network read_network(const std::string& file) {
  Network network;
  if (file.empty()) return network;
  plan::Faults faults;
  // Without the lock file: it has numbers, which the page does not show.
  const auto plan = plan::allocate(read_topology(file), {}, faults);
  require_none(faults, file);
  for (const auto& gateway : plan.topology.gateways) {
    network.gateways.push_back(
        {gateway.name, plan.topology.sites[gateway.site].name, gateway.exporter});
    auto& lan = network.gateways.back().lan;
    for (const auto& interface : gateway.settings.lan) lan.push_back(interface.name);
  }
  for (const auto& link : plan.links) {
    const auto [first, second] = link.gateways;
    // A link has the name of its interface, which is that of the gateway behind it.
    network.links.push_back({link.gateways,
                             {plan.topology.gateways[second].ifname,  //
                              plan.topology.gateways[first].ifname}});
  }
  return network;
}

Sites read_sites(const std::string& file) {
  Sites sites;
  if (file.empty()) return sites;
  const auto topology = read_topology(file);
  for (const auto& gateway : topology.gateways) {
    sites[gateway.name] = topology.sites[gateway.site].name;
  }
  return sites;
}

Sites sites_of(const Network& network) {
  Sites sites;
  for (const auto& gateway : network.gateways) sites[gateway.name] = gateway.site;
  return sites;
}

std::string network_text(const Network& network) {
  return ascii_text({{"version", version_of(network)},
                     {"gateways", gateways_of(network)},
                     {"links", links_of(network)}}) +
         "\n";
}

std::string version_of(const Network& network) {
  const auto text = ascii_text(gateways_of(network)) + ascii_text(links_of(network));
  return std::to_string(std::hash<std::string>{}(text));
}

}  // namespace routevpn::exporter
