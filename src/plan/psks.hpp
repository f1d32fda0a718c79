// The pre-shared keys (PSKs) of the links. The two ends of a link have the same files.
//
//   GATEWAY/psk/IFNAME.psk    of the link to the interface's gateway; psk_roll.hpp has other names
//
// The planner makes a key once, and later takes it from the output directory, which is the only
// place of the keys beside the gateways. An end without its file gets the key of the other end.
#pragma once

#include <string>

#include "routevpn/plan/render.hpp"

namespace routevpn::plan {

struct PskOrder {
  bool make = true;      // false: a missing key has an empty file
  bool advance = false;  // the plan makes a step of a roll-over
};

// Throws UsageError for a file that is no key, when the ends of a link have different keys, and for
// a step without the key of the step before.
PlannedFiles psk_files(const Plan& plan, const std::string& out, const PskOrder& order);

}  // namespace routevpn::plan
