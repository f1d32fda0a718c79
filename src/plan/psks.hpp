// The pre-shared keys of the links, the same file for both gateways of a link:
//
//   GATEWAY/psk/IFNAME.psk
//
// The planner makes a key once. Later runs take it from the output directory, so the directory is
// the only place of the keys beside the gateways.
#pragma once

#include <string>

#include "routevpn/plan/render.hpp"

namespace routevpn::plan {

enum class MissingKeys : bool { leave_empty, make };

// The files of all links with a PSK; `out` is the output directory, which need not exist. If one
// end lacks its file, it gets the content of the other's. Throws UsageError for a file that is not
// a PSK, and for two ends with different PSKs.
PlannedFiles psk_files(const Plan& plan, const std::string& out, MissingKeys missing);

}  // namespace routevpn::plan
