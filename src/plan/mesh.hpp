// Chooses the pairs of gateways that get a link, and the route reflectors.
#pragma once

#include <vector>

#include "routevpn/plan/allocate.hpp"

namespace routevpn::plan {

// The links have no numbers yet. They are in the order of the gateways in the file.
std::vector<PlannedLink> choose_links(const Topology& topology, Faults& faults);
// Sets `sessions` and `is_reflector`. The lock keeps reflectors that the topology does not name.
void choose_reflectors(Plan& plan, const Lock& before, Faults& faults);

}  // namespace routevpn::plan
