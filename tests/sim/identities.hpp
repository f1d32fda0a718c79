// Who the two simulated ends are, and how often they play.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "test_pki.hpp"

namespace routevpn::test {

struct Identities {
  TestCa ca;
  Issued v1 = ca.issue({"V1-1"});
  Issued v2 = ca.issue({"V2-1"});
  std::shared_ptr<const dtls::Identity> initiator = make_identity(v1, ca.certificate(), "V2-1");
  std::shared_ptr<const dtls::Identity> acceptor = make_identity(v2, ca.certificate(), "V1-1");
  // The same, who want somebody else.
  std::shared_ptr<const dtls::Identity> refusing_initiator =
      make_identity(v1, ca.certificate(), "V9-1");
  std::shared_ptr<const dtls::Identity> refusing_acceptor =
      make_identity(v2, ca.certificate(), "V9-1");
  // The same, with a CRL that has the other in it.
  std::shared_ptr<const dtls::Identity> revoking_initiator =
      make_identity(v1, ca.certificate(), "V2-1", "", ca.revoke({v2.serial}));
  std::shared_ptr<const dtls::Identity> revoking_acceptor =
      make_identity(v2, ca.certificate(), "V1-1", "", ca.revoke({v1.serial}));
  std::shared_ptr<const dtls::Identity> self_revoking_acceptor =
      make_identity(v2, ca.certificate(), "V1-1", "", ca.revoke({v2.serial}));
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
