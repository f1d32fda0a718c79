// From a topology file to everything every gateway needs.
#pragma once

#include <string>
#include <vector>

#include "routevpn/plan/output.hpp"

namespace routevpn::plan {

struct PlanRequest {
  std::string topology;  // the file; its lock is beside it
  std::string out;
  std::string pki;     // directory of a CA; empty: none
  bool check = false;  // change nothing
  bool dot = false;    // topology.dot too
};

struct PlanReport {
  std::vector<std::string> faults;  // "FILE:LINE: ..."; with any, nothing was written
  Changes changes;                  // made, or to be made
  std::string lock;                 // its path
  bool lock_changes = false;
  std::size_t sites = 0;
  std::size_t gateways = 0;
  std::size_t links = 0;
};

// topology.lock for topology.toml, else with .lock behind the name.
std::string lock_path(const std::string& topology);

// Throws UsageError for a file that cannot be read or is in the way, SystemError for what the
// system refused; nothing is half done then.
PlanReport run(const PlanRequest& request);

}  // namespace routevpn::plan
