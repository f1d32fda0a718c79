#include "routevpn/pki/key.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "catch.hpp"

using namespace routevpn;

namespace {

// A public key with a modulus of this many bits, which is not a product of two primes: only its
// length matters.
pki::Key rsa_of(int bits) {
  const pki::BigNumber modulus(BN_new());
  const pki::BigNumber exponent(BN_new());
  REQUIRE(BN_set_bit(modulus.get(), bits - 1) == 1);
  REQUIRE(BN_set_bit(modulus.get(), 0) == 1);
  REQUIRE(BN_set_word(exponent.get(), RSA_F4) == 1);
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  REQUIRE(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1);
  REQUIRE(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1);
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  REQUIRE(EVP_PKEY_fromdata_init(context.get()) == 1);
  REQUIRE(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1);
  return pki::Key(made);
}

}  // namespace

TEST_CASE("links accept RSA keys of 2048 to 8192 bits") {
  CHECK(pki::why_unusable(rsa_of(2048).get()).empty());
  CHECK(pki::why_unusable(rsa_of(8192).get()).empty());
  const std::string allowed =
      "; links accept ECDSA P-256 and P-384, Ed25519 and RSA of 2048 to 8192 bits";
  CHECK(pki::why_unusable(rsa_of(2047).get()) == "has an RSA key of 2047 bits" + allowed);
  CHECK(pki::why_unusable(rsa_of(8193).get()) == "has an RSA key of 8193 bits" + allowed);
}
