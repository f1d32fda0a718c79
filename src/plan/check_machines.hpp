// Faults of the gateways as machines: their interfaces, the addresses of these, and namespaces.
#pragma once

#include "routevpn/plan/topology.hpp"

namespace routevpn::plan {

void check_machines(const Topology& topology, Faults& faults);

}  // namespace routevpn::plan
