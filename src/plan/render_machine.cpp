// What the units of a gateway read: the list of units, the namespaces' interfaces, the exporter's
// options.
#include "routevpn/plan/render.hpp"

#include "values.hpp"

namespace routevpn::plan {

namespace {

// The units of the public side are for the host's own namespace. With public-netns, another program
// makes that namespace.
bool has_public_units(const Gateway& gateway) {
  return gateway.settings.public_netns.empty() && !gateway.settings.underlay.empty() &&
         !gateway.addresses.empty();
}

// A namespace that is given by its path is made by another program.
bool has_private_units(const Gateway& gateway) {
  return !is_path(gateway.settings.netns);
}

bool has_exporter(const Gateway& gateway) {
  return gateway.exporter && has_private_units(gateway);
}

void add_interface(std::string& text, const Interface& interface) {
  if (interface.name.find('*') != std::string::npos) return;
  text.append("interface = ").append(interface.name).append("\n");
  for (const auto& address : interface.addresses) {
    text.append("address = ").append(address.value.to_string()).append("\n");
  }
}

std::string head_of(const Gateway& gateway, std::string_view what) {
  return std::string("# ")
      .append(gateway.name)
      .append(", ")
      .append(what)
      .append(". ")
      .append(planned_mark);
}

}  // namespace

// The public addresses are on lo: they belong to the gateway, and
// OSPF announces them.
std::string render_public_netns(const Plan& plan, std::size_t gateway) {
  const auto& own = plan.topology.gateways[gateway];
  if (!has_public_units(own)) return {};
  Interface loopback{"lo", {}};
  for (const auto& address : own.addresses) {
    loopback.addresses.push_back({{address, address.bits()}, own.line});
  }
  auto text = head_of(own, "public namespace");
  add_interface(text, loopback);
  for (const auto& interface : own.settings.underlay) {
    if (!interface.addresses.empty()) add_interface(text, interface);
  }
  return text;
}

std::string render_private_netns(const Plan& plan, std::size_t gateway) {
  const auto& own = plan.topology.gateways[gateway];
  if (!has_private_units(own)) return {};
  auto text = head_of(own, "private namespace");
  for (const auto& interface : own.settings.lan) add_interface(text, interface);
  return text;
}

std::string render_exporter(const Plan& plan, std::size_t gateway) {
  const auto& own = plan.topology.gateways[gateway];
  if (!has_exporter(own)) return {};
  auto text = head_of(own, "exporter in the private namespace");
  text.append("ROUTEVPN_EXPORTER_OPTIONS=--listen ").append(own.exporter->to_string());
  text.append(" --topology /etc/routevpn/exporter/topology.toml");
  if (own.settings.run_dir.empty()) return text + "\n";
  // In quotes: systemd splits the options at blanks. The units run BIRD in the usual directory.
  text.append(" --run-dir \"").append(own.settings.run_dir).append("\"");
  if (has_public_units(own)) text.append(" --bird /run/routevpn/bird/public.ctl");
  return text.append(" --bird /run/routevpn/bird/").append(own.settings.netns).append(".ctl\n");
}

std::string render_exporter_topology(const Plan& plan, std::size_t gateway) {
  const auto& own = plan.topology.gateways[gateway];
  if (!has_exporter(own)) return {};
  auto text = head_of(own, "topology for the map of its exporter") + plan.topology.text;
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

std::string render_units(const Plan& plan, std::size_t gateway) {
  const auto& own = plan.topology.gateways[gateway];
  const auto& netns = own.settings.netns;
  std::string text;
  const auto add = [&](std::string_view kind, std::string_view name) {
    text.append("routevpn").append(kind).append("@").append(name).append(".service\n");
  };
  if (has_public_units(own)) add("-netns", public_name);
  if (has_private_units(own)) add("-netns", netns);
  if (has_public_units(own)) add("-bird", public_name);
  if (has_private_units(own)) add("-bird", netns);
  for (const auto index : plan.links_of[gateway]) {
    add("", plan.topology.gateways[plan.peer_of(plan.links[index], gateway)].ifname);
  }
  if (has_exporter(own)) add("-exporter", netns);
  return text;
}

}  // namespace routevpn::plan
