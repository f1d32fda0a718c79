// The CA of a plan stays the same, unless --new-ca is given: a mistyped --pki would otherwise make
// a new CA and replace every planned certificate.
#pragma once

#include <set>
#include <string>

#include "routevpn/plan/allocate.hpp"

namespace routevpn::plan {

// What is known of the plan that is replaced.
struct FormerPlan {
  std::string out;                // its directory
  std::set<std::string> written;  // the files of its manifest
  std::string lock;               // path of the lock file
  std::string authority;          // in the lock file
};

// Throws UsageError if the former plan has certificates of a CA that `pki`/ca.cert does not hold.
// ca.cert may be missing, or hold several certificates during a CA rollover. The lock file, the
// manifest and the planned certificates each show the CA, because any of them may be lost.
void require_same_issuer(const Plan& plan, const FormerPlan& former, const std::string& pki);

}  // namespace routevpn::plan
