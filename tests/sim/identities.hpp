// Certificates of the two simulated ends, and the number of seeds per test.
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
  // These expect another peer name and refuse the certificate of the other end.
  std::shared_ptr<const dtls::Identity> refusing_initiator =
      make_identity(v1, ca.certificate(), "V9-1");
  std::shared_ptr<const dtls::Identity> refusing_acceptor =
      make_identity(v2, ca.certificate(), "V9-1");
  // The other end refuses the certificates of these, which have another name.
  std::shared_ptr<const dtls::Identity> misnamed_initiator =
      make_identity(ca.issue({"V8-1"}), ca.certificate(), "V2-1");
  std::shared_ptr<const dtls::Identity> misnamed_acceptor =
      make_identity(ca.issue({"V8-2"}), ca.certificate(), "V1-1");
  // These trust another CA only.
  TestCa other_ca{"Other CA"};
  std::shared_ptr<const dtls::Identity> other_initiator =
      make_identity(v1, other_ca.certificate(), "V2-1");
  std::shared_ptr<const dtls::Identity> other_acceptor =
      make_identity(v2, other_ca.certificate(), "V1-1");
  // These have a CRL that revokes the certificate of the other end, or the own one.
  std::shared_ptr<const dtls::Identity> revoking_initiator =
      make_identity(v1, ca.certificate(), "V2-1", "", ca.revoke({v2.serial}));
  std::shared_ptr<const dtls::Identity> revoking_acceptor =
      make_identity(v2, ca.certificate(), "V1-1", "", ca.revoke({v1.serial}));
  std::shared_ptr<const dtls::Identity> self_revoking_acceptor =
      make_identity(v2, ca.certificate(), "V1-1", "", ca.revoke({v2.serial}));
  std::shared_ptr<const dtls::Identity> initiator_with_psk =
      make_identity(v1, ca.certificate(), "V2-1", "", "", {psk_line(1)});
  std::shared_ptr<const dtls::Identity> acceptor_with_psk =
      make_identity(v2, ca.certificate(), "V1-1", "", "", {psk_line(1)});
};

inline const Identities& identities() {
  static const Identities made;
  return made;
}

// Number of seeds for a test. ROUTEVPN_SEEDS replaces the 10,000 seeds of the first loss test, and
// scales other tests in proportion: fewer for sanitizer builds, more for long runs by hand.
inline std::uint64_t seeds(std::uint64_t default_count) {
  const char* const text = std::getenv("ROUTEVPN_SEEDS");
  if (text == nullptr) return default_count;
  return std::max(std::stoull(text) * default_count / 10'000, 1ULL);
}

}  // namespace routevpn::test
