// The files of a plan, as text: pure functions.
//
//   GATEWAY/links/IFNAME.conf    one link, as `routevpn --config` reads it
//   GATEWAY/bird/public.conf     BIRD in the public namespace
//   GATEWAY/bird/private.conf    BIRD in the private namespace
//   GATEWAY/units                what systemd is to enable, one line each
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

inline constexpr auto dot_name = "topology.dot";

PlannedFiles render(const Plan& plan);

std::string render_link(const Plan& plan, std::size_t gateway, const PlannedLink& link);
std::string render_units(const Plan& plan, std::size_t gateway);
std::string render_public_bird(const Plan& plan, std::size_t gateway);
std::string render_private_bird(const Plan& plan, std::size_t gateway);
std::string render_router_bird(const Plan& plan, std::size_t router);
// For Graphviz: a cluster for each site, an edge for each link.
std::string render_dot(const Plan& plan);

}  // namespace routevpn::plan
