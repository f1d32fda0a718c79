// Owners of OpenSSL objects, the check of OpenSSL's results, and how it reads PEM.
#pragma once

#include <string>
#include <string_view>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

namespace routevpn::pki {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owned<X509, X509_free>;
using Request = Owned<X509_REQ, X509_REQ_free>;
using RevocationList = Owned<X509_CRL, X509_CRL_free>;
using Bio = Owned<BIO, BIO_free_all>;
using BigNumber = Owned<BIGNUM, BN_free>;
using AsnTime = Owned<ASN1_TIME, ASN1_TIME_free>;
using AsnInteger = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using Extension = Owned<X509_EXTENSION, X509_EXTENSION_free>;

// Throws SystemError "OpenSSL cannot WHAT: REASON" unless the call succeeded. Only for calls that
// do not depend on the content of a user's file.
inline void require(bool succeeded, std::string_view what) {
  if (succeeded) return;
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  throw SystemError("OpenSSL cannot " + std::string(what) + ": " +
                    (reason != nullptr ? reason : "no reason given"));
}

template <typename T>
T* require(T* made, std::string_view what) {
  require(made != nullptr, what);
  return made;
}

// `text` must outlive it.
inline Bio reader(std::string_view text) {
  return Bio(require(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), "make a buffer"));
}

// For PEM_read_bio_*. Replaces OpenSSL's prompt on the terminal, which a script could not answer.
// `encrypted`: a bool, set when a passphrase would be needed.
inline int refuse_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* encrypted) {
  *static_cast<bool*>(encrypted) = true;
  return -1;
}

}  // namespace routevpn::pki
