// Reads and checks the files of an identity.
#pragma once

#include <vector>

#include "routevpn/dtls/identity.hpp"
#include "routevpn/pki/openssl.hpp"

namespace routevpn::dtls {

using pki::Certificate, pki::Key, pki::RevocationList;

struct Credentials {
  Certificate certificate;
  std::vector<Certificate> chain;  // between our certificate and the CA
  Key key;
  std::vector<Certificate> authorities;
  std::vector<RevocationList> revocations;
  Psks psks;
};

// Throws UsageErrors, see Identity::load.
Credentials load_credentials(const IdentityFiles& files);

}  // namespace routevpn::dtls
