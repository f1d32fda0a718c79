// Who is who in BGP and OSPF.
#pragma once

#include "routevpn/plan/allocate.hpp"

namespace routevpn::plan {

// Gives every gateway and site router its identifier; what has one keeps it.
void identify(Plan& plan, const Lock& before, Lock& after, Faults& faults);

}  // namespace routevpn::plan
