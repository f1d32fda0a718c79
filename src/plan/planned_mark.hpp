// What every planned file says in its first line.
#pragma once

namespace routevpn::plan {

inline constexpr auto planned_mark = "Written by routevpn plan: change the topology, not this.\n";

}  // namespace routevpn::plan
