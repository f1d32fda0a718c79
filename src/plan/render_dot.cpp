#include <sstream>

#include "routevpn/plan/render.hpp"

namespace routevpn::plan {

namespace {

// No escapes: parse_name(), parse_title() and parse_template() refuse quotes and backslashes.
std::string in_quotes(const std::string& text) {
  return '"' + text + '"';
}

std::string label_of(const Site& site) {
  std::string text = "site " + site.name;
  for (const auto& prefix : site.prefixes) text += "\\n" + prefix.value.to_string();
  return text;
}

void write_site(std::ostream& out, const Plan& plan, const Site& site) {
  out << "  subgraph " << in_quotes("cluster_" + site.name) << " {\n"
      << "    label=" << in_quotes(label_of(site)) << ";\n";
  for (const auto index : site.gateways) {
    const auto& gateway = plan.topology.gateways[index];
    std::string label = gateway.name;
    for (const auto& address : gateway.addresses) label += "\\n" + address.to_string();
    if (!gateway.host.empty()) label += "\\n" + gateway.host;
    if (gateway.is_behind_nat()) label += "\\nbehind NAT";
    out << "    " << in_quotes(gateway.name) << " [label=" << in_quotes(label)
        << (plan.is_reflector[index] ? ", peripheries=2" : "") << "];\n";
  }
  for (const auto index : site.routers) {
    const auto& router = plan.topology.routers[index];
    out << "    " << in_quotes(router.name) << " [shape=ellipse];\n";
    for (const auto gateway : site.gateways) {
      out << "    " << in_quotes(router.name) << " -- "
          << in_quotes(plan.topology.gateways[gateway].name) << " [style=dotted];\n";
    }
  }
  out << "  }\n";
}

void write_link(std::ostream& out, const Plan& plan, const PlannedLink& link) {
  const auto& gateways = plan.topology.gateways;
  std::string label = std::to_string(link.number);
  if (link.bandwidth_mbit) label += "\\n" + std::to_string(*link.bandwidth_mbit) + " Mbit/s";
  if (link.cost) label += "\\ncost " + std::to_string(*link.cost);
  out << "  " << in_quotes(gateways[link.gateways[0]].name) << " -- "
      << in_quotes(gateways[link.gateways[1]].name) << " [label=" << in_quotes(label);
  if (link.family == Family::ipv4) out << ", style=dashed";
  if (!plan.has_session(link)) out << ", color=gray";
  out << "];\n";
}

}  // namespace

std::string render_dot(const Plan& plan) {
  std::ostringstream out;
  out << "// Written by routevpn plan, for `dot -Tsvg`. A double border marks a route reflector, a "
         "dashed\n// line a link over IPv4, a grey line a link without a BGP session.\n"
      << "graph " << in_quotes(plan.topology.organisation.name) << " {\n"
      << "  node [shape=box];\n";
  for (const auto& site : plan.topology.sites) write_site(out, plan, site);
  for (const auto& link : plan.links) write_link(out, plan, link);
  out << "}\n";
  return out.str();
}

}  // namespace routevpn::plan
