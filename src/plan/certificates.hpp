// The credentials of the gateways, from the directory of a CA of `routevpn pki`. When the CA's key
// is there, missing credentials are issued, and the CRL is renewed when a third of its time is
// over.
//
//   GATEWAY/pki/ca.cert, GATEWAY.cert, GATEWAY.key, ca.crl    copies of the files in the directory
//   GATEWAY/pki/GATEWAY.request                               else: how to request a certificate
#pragma once

#include <set>
#include <string>
#include <vector>

#include "routevpn/plan/output.hpp"

namespace routevpn::plan {

class Certificates {
 public:
  // An empty `directory`: there is no CA, and every gateway requests its certificate.
  Certificates(const Plan& plan, std::string directory);

  // Throws UsageError unless every certificate and the CRL in the directory are valid and from its
  // CA, and only root and the running user can write there. A CA without a CRL is refused too,
  // because every planned link reads a CRL.
  void require_sound() const;
  // Issues what is missing: the CA, keys and certificates, and the CRL.
  // Throws as pki does.
  void issue() const;
  // The credentials. Files that issue() would make are empty.
  [[nodiscard]] PlannedFiles files() const;
  // Without --pki, the credentials of the former plan stay, and no plan removes them. Returns their
  // number.
  std::size_t keep_former(Output& output);
  // Whether issue() makes a CA.
  [[nodiscard]] bool makes_authority() const;
  // pki::key_digest() of the CA that signs, or `former` without --pki and before the CA is made.
  [[nodiscard]] std::string authority(const std::string& former) const;

 private:
  [[nodiscard]] bool can_issue() const;
  void require_current_crl() const;
  [[nodiscard]] bool must_renew_crl() const;
  [[nodiscard]] bool has(const std::string& file) const;
  [[nodiscard]] std::string at(const std::string& file) const { return directory_ + "/" + file; }
  void add(PlannedFiles& files, const std::string& gateway, const std::string& file,
           mode_t mode) const;

  const Plan& plan_;
  std::string directory_;
  std::set<std::string> kept_;
};

}  // namespace routevpn::plan
