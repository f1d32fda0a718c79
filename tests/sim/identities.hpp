// Certificates for the two ends, made once.
#pragma once

#include <memory>

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

}  // namespace routevpn::test
