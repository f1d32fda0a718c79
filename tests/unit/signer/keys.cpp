#include "keys.hpp"

#include <map>
#include <stdexcept>

#include <openssl/rsa.h>

#include "routevpn/pki/key.hpp"

namespace routevpn::test {

using signer::SignDigest;
using signer::SignScheme;

std::vector<SignatureKind> signature_kinds(Kind kind) {
  switch (kind) {
    case Kind::p256:
    case Kind::p384:
      return {{SignScheme::ecdsa, SignDigest::sha256, "ECDSA+SHA256"},
              {SignScheme::ecdsa, SignDigest::sha384, "ECDSA+SHA384"}};
    case Kind::ed25519:
      return {{SignScheme::ed25519, SignDigest::none, "ed25519"}};
    case Kind::rsa2048:
    case Kind::rsa3072:
      break;
  }
  return {{SignScheme::rsa_pss, SignDigest::sha256, "RSA-PSS+SHA256"},
          {SignScheme::rsa_pss, SignDigest::sha384, "RSA-PSS+SHA384"},
          {SignScheme::rsa_pkcs1, SignDigest::sha256, "RSA+SHA256"},
          {SignScheme::rsa_pkcs1, SignDigest::sha384, "RSA+SHA384"}};
}

pki::Key share(const pki::Key& key) {
  EVP_PKEY_up_ref(key.get());
  return pki::Key(key.get());
}

namespace {

pki::Key make(Kind kind) {
  switch (kind) {
    case Kind::p256:
      return pki::generate_key(pki::Algorithm::p256);
    case Kind::p384:
      return pki::generate_key(pki::Algorithm::p384);
    case Kind::ed25519:
      return pki::generate_key(pki::Algorithm::ed25519);
    case Kind::rsa3072:
      return pki::generate_key(pki::Algorithm::rsa3072);
    case Kind::rsa2048:
      break;
  }
  return pki::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
}

}  // namespace

pki::Key private_key(Kind kind) {
  static std::map<Kind, pki::Key> made;
  pki::Key& key = made[kind];
  if (key == nullptr) key = make(kind);
  return share(key);
}

pki::Key public_part(const pki::Key& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  const unsigned char* at = der;
  pki::Key made(d2i_PUBKEY(nullptr, &at, size));
  OPENSSL_free(der);
  if (made == nullptr) throw std::runtime_error("no public part");
  return made;
}

std::size_t Remote::Holder::sign(const signer::SignRequest& request,
                                 std::span<std::uint8_t> signature) {
  ++requests;
  scheme = request.scheme;
  digest = request.digest;
  if (throws) throw std::runtime_error("the holder is gone");
  now += std::chrono::seconds(1);
  return refuses ? 0 : signer.sign(request, signature, now);
}

Remote::Remote(Kind kind) : holder(std::make_shared<Holder>(private_key(kind))) {
  key = signer::remote_key(
      public_part(private_key(kind)).get(),
      [held = holder](const signer::SignRequest& request, std::span<std::uint8_t> signature) {
        return held->sign(request, signature);
      });
}

bool verifies(const pki::Key& public_key, const SignatureKind& kind, ConstBytes message,
              ConstBytes signature) {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;
  const EVP_MD* digest = nullptr;
  if (kind.digest == SignDigest::sha256) digest = EVP_sha256();
  if (kind.digest == SignDigest::sha384) digest = EVP_sha384();
  bool good = EVP_DigestVerifyInit(context.get(), &padding, digest, nullptr, public_key.get()) == 1;
  if (kind.scheme == SignScheme::rsa_pss) {
    good = good && EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  good = good && EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                                  message.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace routevpn::test
