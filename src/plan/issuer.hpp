// The CA of a plan stays the same, unless --new-ca is given: a mistyped --pki would otherwise make
// a new CA and replace every planned certificate.
#pragma once

#include <string>

#include "routevpn/plan/allocate.hpp"

namespace routevpn::plan {

// Throws UsageError if `out` has a planned certificate that no certificate of `pki`/ca.cert has
// issued. ca.cert may be missing, or hold several certificates during a CA rollover.
void require_same_issuer(const Plan& plan, const std::string& out, const std::string& pki);

}  // namespace routevpn::plan
