// Faults that only several tables of a topology file together show, such as overlapping networks.
#pragma once

#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

// Sets LinkEntry::gateways, and adds a fault for each contradiction.
void check(Topology& topology, Faults& faults);

}  // namespace routevpn::plan
