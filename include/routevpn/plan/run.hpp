// Turns a topology file into the files of all gateways.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "routevpn/plan/output.hpp"

namespace routevpn::plan {

struct PlanRequest {
  std::string topology;   // path of the file; the lock file is in the same directory
  std::string out;        // directory
  std::string pki;        // directory of a CA; empty: none
  bool check = false;     // change nothing
  bool dot = false;       // also write topology.dot
  bool new_psks = false;  // make the next step of a roll-over of the pre-shared keys
  bool new_ca = false;    // replace planned certificates of another CA
  Progress progress = {};
};

struct PlanReport {
  std::vector<std::string> faults;  // "FILE:LINE: ..."; if there is any, nothing was written
  Changes changes;                  // made; with `check`, to be made
  std::string lock;                 // path of the lock file
  bool lock_changes = false;
  // The step of a roll-over of the pre-shared keys, 1 to 3; none between two roll-overs.
  std::optional<std::uint32_t> psk_step;
  std::size_t kept_credentials = 0;  // without --pki: files of the former plan that stay
  std::size_t sites = 0;
  std::size_t gateways = 0;
  std::size_t links = 0;
};

// topology.lock for topology.toml; appends .lock to a name without .toml.
std::string lock_path(const std::string& topology);

// Throws UsageError for a file that cannot be read or must not be overwritten, and SystemError when
// the system refuses. No file is ever half-written, and the next run completes an interrupted one.
PlanReport run(const PlanRequest& request);

}  // namespace routevpn::plan
