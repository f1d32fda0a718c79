// A CA in a temporary directory.
#pragma once

#include "routevpn/pki/authority.hpp"

#include "scratch.hpp"

namespace routevpn::pki {

struct Ca : Scratch {
  explicit Ca(Algorithm algorithm = Algorithm::p256, int days = authority_days) {
    create_authority({path(), "routevpn CA", days, algorithm});
  }
  void request(const std::string& name, Algorithm algorithm = Algorithm::p256) const {
    create_request({path(), name, algorithm});
  }
  IssuedCertificate issue(const std::string& name) const {
    request(name);
    return sign({path(), name, std::nullopt, false});
  }
};

inline constexpr auto strict = "verify -x509_strict -CAfile ca.cert ";

}  // namespace routevpn::pki
