// Which pairs of gateways get a link, and who reflects.
#pragma once

#include <vector>

#include "routevpn/plan/allocate.hpp"

namespace routevpn::plan {

// Without numbers, in the order of the gateways in the file.
std::vector<PlannedLink> choose_links(const Topology& topology, Faults& faults);
// Sets sessions and is_reflector; those chosen without being named are kept in the lock.
void choose_reflectors(Plan& plan, const Lock& before, Lock& after, Faults& faults);

}  // namespace routevpn::plan
