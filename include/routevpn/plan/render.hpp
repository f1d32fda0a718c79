// The contents of the planned files. Pure functions.
//
//   GATEWAY/links/IFNAME.conf    one link, for `routevpn --config`
//   GATEWAY/bird/public.conf     BIRD in the public namespace
//   GATEWAY/bird/private.conf    BIRD in the private namespace
//   GATEWAY/netns/NAME.conf      interfaces and addresses of a namespace, for routevpn-netns@NAME
//   GATEWAY/exporter/NAME.conf   options of the exporter in the private namespace NAME
//   GATEWAY/exporter/topology.toml    the topology file, for the map of that exporter
//   GATEWAY/units                systemd units to enable, one per line, in the order of their start
//   ROUTER/bird/bird.conf        BIRD of a site router
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "routevpn/plan/allocate.hpp"

namespace routevpn::plan {

struct PlannedFile {
  std::string path;  // below the output directory
  std::string content;
  mode_t mode = 0644;
};
using PlannedFiles = std::vector<PlannedFile>;

// Follows the name of the file's subject in the first line of each planned file.
inline constexpr auto planned_mark = "Written by routevpn plan; edit the topology file instead.\n";
inline constexpr auto dot_name = "topology.dot";

PlannedFiles render(const Plan& plan);

std::string render_link(const Plan& plan, std::size_t gateway, const PlannedLink& link);
std::string render_public_bird(const Plan& plan, std::size_t gateway);
std::string render_private_bird(const Plan& plan, std::size_t gateway);
// Empty if the gateway has no unit for this namespace.
std::string render_public_netns(const Plan& plan, std::size_t gateway);
std::string render_private_netns(const Plan& plan, std::size_t gateway);
// Empty if the gateway has no unit for the private namespace, or no exporter in it.
std::string render_exporter(const Plan& plan, std::size_t gateway);
std::string render_exporter_topology(const Plan& plan, std::size_t gateway);

std::string render_units(const Plan& plan, std::size_t gateway);
std::string render_router_bird(const Plan& plan, std::size_t router);
// For Graphviz: a cluster per site, an edge per link.
std::string render_dot(const Plan& plan);

}  // namespace routevpn::plan
