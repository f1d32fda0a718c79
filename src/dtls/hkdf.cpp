#include "hkdf.hpp"

#include <string>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "routevpn/pki/openssl.hpp"

namespace routevpn::dtls {

namespace {

// OpenSSL's parameters are not const, but a derivation does not write to them.
OSSL_PARAM octets(const char* name, ConstBytes bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                           bytes.size());
}

}  // namespace

void hkdf_sha256(ConstBytes salt, ConstBytes key, std::string_view info, Bytes out) {
  const Owned<EVP_KDF, EVP_KDF_free> kdf(
      pki::require(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr), "find HKDF"));
  const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context(
      pki::require(EVP_KDF_CTX_new(kdf.get()), "make a key derivation"));
  std::string digest("SHA256");
  const ConstBytes info_bytes(reinterpret_cast<const std::uint8_t*>(info.data()), info.size());
  std::vector<OSSL_PARAM> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      octets(OSSL_KDF_PARAM_KEY, key), octets(OSSL_KDF_PARAM_INFO, info_bytes)};
  if (!salt.empty()) parameters.push_back(octets(OSSL_KDF_PARAM_SALT, salt));
  parameters.push_back(OSSL_PARAM_construct_end());
  pki::require(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1,
               "derive a key");
}

}  // namespace routevpn::dtls
