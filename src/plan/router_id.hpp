// The router IDs of gateways and site routers, for BGP and OSPF.
#pragma once

#include "routevpn/plan/allocate.hpp"

namespace routevpn::plan {

// Keeps the IDs of the old lock, and gives each new node an ID.
void assign_router_ids(Plan& plan, const Lock& before, Lock& after, Faults& faults);

}  // namespace routevpn::plan
