// Certificates for the two ends, made once.
#pragma once

#include <memory>

#include "test_pki.hpp"

namespace routevpn::test {

struct Identities {
  TestCa ca;
  Issued v1 = ca.issue({"V1-1"});
  Issued v2 = ca.issue({"V2-1"});
  std::shared_ptr<const dtls::Identity> initiator = make_identity(v1, ca.certificate(), "V2-1");
  std::shared_ptr<const dtls::Identity> acceptor = make_identity(v2, ca.certificate(), "V1-1");
  // The same, with a CRL that has the other in it.
  std::shared_ptr<const dtls::Identity> refusing_initiator =
      make_identity(v1, ca.certificate(), "V2-1", "", ca.revoke({v2.serial}));
  std::shared_ptr<const dtls::Identity> refusing_acceptor =
      make_identity(v2, ca.certificate(), "V1-1", "", ca.revoke({v1.serial}));
};

inline const Identities& identities() {
  static const Identities made;
  return made;
}

}  // namespace routevpn::test
