// Reads and checks the files of an identity.
#pragma once

#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/dtls/identity.hpp"

namespace routevpn::dtls {

using Certificate = Owned<X509, X509_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using RevocationList = Owned<X509_CRL, X509_CRL_free>;

struct Credentials {
  Certificate certificate;
  std::vector<Certificate> chain;  // between our certificate and the CA
  Key key;
  std::vector<Certificate> authorities;
  std::vector<RevocationList> revocations;
};

// Throws UsageError, see Identity::load.
Credentials load_credentials(const IdentityFiles& files);

}  // namespace routevpn::dtls
