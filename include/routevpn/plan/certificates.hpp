// The gateways' credentials, taken from a CA's directory as `routevpn pki` keeps it, and made there
// when they are missing and the CA's key is there.
//
//   GATEWAY/pki/ca.cert, GATEWAY.cert, GATEWAY.key, ca.crl    as far as they are in the directory
//   GATEWAY/pki/GATEWAY.request                               how to come by a certificate, else
#pragma once

#include <string>
#include <vector>

#include "routevpn/plan/render.hpp"

namespace routevpn::plan {

class Certificates {
 public:
  // `directory` empty: there is none, everything is to be requested.
  Certificates(const Plan& plan, std::string directory);

  // Throws UsageError unless the certificates that are there are valid ones of the CA that is
  // there.
  void require_sound() const;
  // Makes what is missing: the CA itself where the directory holds none, keys and certificates, and
  // the CRL where a link is to read one. Throws as pki does.
  void issue() const;
  // What is there, and empty files in the place of what issue() would make.
  [[nodiscard]] PlannedFiles files() const;

 private:
  [[nodiscard]] bool can_issue() const;
  [[nodiscard]] bool has(const std::string& file) const;
  [[nodiscard]] std::string at(const std::string& file) const { return directory_ + "/" + file; }
  void add(PlannedFiles& files, const std::string& gateway, const std::string& file,
           mode_t mode) const;

  const Plan& plan_;
  std::string directory_;
  bool wants_crl_ = false;
};

}  // namespace routevpn::plan
