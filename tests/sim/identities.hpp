// Who the two simulated ends are, and how often they play.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>

#include "test_pki.hpp"

namespace routevpn::test {

struct Identities {
  TestCa ca;
  std::shared_ptr<const dtls::Identity> initiator =
      make_identity(ca.issue({"V1-1"}), ca.certificate(), "V2-1");
  std::shared_ptr<const dtls::Identity> acceptor =
      make_identity(ca.issue({"V2-1"}), ca.certificate(), "V1-1");
};

inline const Identities& identities() {
  static const Identities made;
  return made;
}

// How many seeds: of the first test ROUTEVPN_SEEDS, for the slower sanitizer builds and for long
// runs by hand; of others in proportion.
inline std::uint64_t seeds(std::uint64_t usual) {
  const char* const wanted = std::getenv("ROUTEVPN_SEEDS");
  return wanted == nullptr ? usual : std::max(std::stoull(wanted) * usual / 10'000, 1ULL);
}

}  // namespace routevpn::test
