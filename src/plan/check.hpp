// What the tables of a topology say together.
#pragma once

#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

// Finds the gateways that links name, and adds a fault for everything that does not fit together.
void check(Topology& topology, Faults& faults);

}  // namespace routevpn::plan
