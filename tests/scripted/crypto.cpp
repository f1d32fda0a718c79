#include "scripted/crypto.hpp"

#include <array>
#include <stdexcept>
#include <string>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "routevpn/pki/openssl.hpp"

namespace routevpn::test::scripted {

namespace {

constexpr int gcm_tag_bytes = 16;
constexpr std::size_t explicit_nonce_bytes = 8;

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("scripted peer: ") + what);
}

// The additional data of RFC 5246 section 6.2.3.3: sequence, type, version, plaintext length.
std::array<std::uint8_t, 13> additional_data(const record::Header& header, std::size_t size) {
  std::array<std::uint8_t, 13> data{};
  store_be16(&data[0], header.epoch);
  store_be48(&data[2], header.sequence);
  data[8] = static_cast<std::uint8_t>(header.type);
  store_be16(&data[9], header.version);
  store_be16(&data[11], static_cast<std::uint16_t>(size));
  return data;
}

using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

CipherContext start_gcm(const RecordKeys& keys, ConstBytes explicit_nonce, bool sealing,
                        ConstBytes additional) {
  Octets nonce = keys.iv;
  nonce.insert(nonce.end(), explicit_nonce.begin(), explicit_nonce.end());
  CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  must(EVP_CipherInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, keys.key.data(), nonce.data(),
                         sealing ? 1 : 0) == 1 &&
           EVP_CipherUpdate(context.get(), nullptr, &size, additional.data(),
                            static_cast<int>(additional.size())) == 1,
       "start AES-GCM");
  return context;
}

}  // namespace

Octets sha256(ConstBytes data) {
  Octets digest(32);
  unsigned int size = 0;
  must(EVP_Digest(data.data(), data.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1,
       "SHA-256");
  return digest;
}

Octets prf(ConstBytes secret, std::string_view label, ConstBytes seed, std::size_t size) {
  const Owned<EVP_KDF, EVP_KDF_free> kdf(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_PRF, nullptr));
  const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(kdf.get()));
  std::string digest = "SHA256";
  Octets key(secret.begin(), secret.end());
  Octets labelled(label.begin(), label.end());
  labelled.insert(labelled.end(), seed.begin(), seed.end());
  const std::array parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, labelled.data(), labelled.size()),
      OSSL_PARAM_construct_end()};
  Octets out(size);
  must(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1, "PRF");
  return out;
}

Exchange::Exchange(std::uint16_t group)
    : key_(group == x25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")
                           : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")) {
  must(key_ != nullptr, "make an ephemeral key");
}

Octets Exchange::share() const {
  unsigned char* encoded = nullptr;
  const std::size_t size = EVP_PKEY_get1_encoded_public_key(key_.get(), &encoded);
  must(size != 0, "encode a public key");
  Octets share(encoded, encoded + size);
  OPENSSL_free(encoded);
  return share;
}

Octets Exchange::agree(ConstBytes peers_share) const {
  PrivateKey peer;
  if (EVP_PKEY_is_a(key_.get(), "X25519") == 1) {
    peer.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peers_share.data(),
                                           peers_share.size()));
  } else {
    peer.reset(EVP_PKEY_new());
    if (EVP_PKEY_copy_parameters(peer.get(), key_.get()) != 1 ||
        EVP_PKEY_set1_encoded_public_key(peer.get(), peers_share.data(), peers_share.size()) != 1) {
      peer.reset();
    }
  }
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  Octets secret(32);
  std::size_t size = secret.size();
  const bool agreed = peer != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
                      EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                      EVP_PKEY_derive(context.get(), secret.data(), &size) == 1;
  ERR_clear_error();
  secret.resize(agreed ? size : 0);
  return secret;
}

Credentials::Credentials(const std::string& certificates_pem, const std::string& key_pem) {
  const auto certificates = pki::reader(certificates_pem);
  while (const pki::Certificate one{
      PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)}) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(one.get(), &der);
    must(size > 0, "encode a certificate");
    chain.emplace_back(der, der + size);
    OPENSSL_free(der);
  }
  const auto reader = pki::reader(key_pem);
  key.reset(PEM_read_bio_PrivateKey(reader.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  must(key != nullptr, "read a key");
}

bool Credentials::is_rsa() const {
  return EVP_PKEY_is_a(key.get(), "RSA") == 1;
}

std::uint16_t Credentials::scheme() const {
  if (is_rsa()) return rsa_pkcs1_sha256;
  return EVP_PKEY_is_a(key.get(), "ED25519") == 1 ? ed25519_scheme : ecdsa_sha256;
}

Octets Credentials::sign(std::uint16_t scheme, ConstBytes data) const {
  const EVP_MD* digest = scheme == ecdsa_sha1 ? EVP_sha1() : EVP_sha256();
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) digest = nullptr;
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  std::size_t size = 0;
  must(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key.get()) == 1 &&
           EVP_DigestSign(context.get(), nullptr, &size, data.data(), data.size()) == 1,
       "start a signature");
  Octets signature(size);
  must(EVP_DigestSign(context.get(), signature.data(), &size, data.data(), data.size()) == 1,
       "sign");
  signature.resize(size);
  return signature;
}

Octets RecordKeys::seal(record::Header header, ConstBytes plaintext) const {
  std::array<std::uint8_t, explicit_nonce_bytes> nonce{};
  store_be64(nonce.data(), std::uint64_t{header.epoch} << 48 | header.sequence);
  const auto additional = additional_data(header, plaintext.size());
  const auto context = start_gcm(*this, nonce, true, additional);
  header.length =
      static_cast<std::uint16_t>(explicit_nonce_bytes + plaintext.size() + gcm_tag_bytes);
  Octets sealed(record::header_bytes + header.length);
  record::encode(header, sealed.data());
  std::copy(nonce.begin(), nonce.end(), sealed.begin() + record::header_bytes);
  std::uint8_t* const into = sealed.data() + record::header_bytes + explicit_nonce_bytes;
  int size = 0;
  must(EVP_CipherUpdate(context.get(), into, &size, plaintext.data(),
                        static_cast<int>(plaintext.size())) == 1 &&
           EVP_CipherFinal_ex(context.get(), into, &size) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, gcm_tag_bytes,
                               into + plaintext.size()) == 1,
       "seal");
  return sealed;
}

Octets RecordKeys::open(const record::Header& header, ConstBytes fragment) const {
  if (fragment.size() < explicit_nonce_bytes + gcm_tag_bytes) return {};
  const std::size_t size = fragment.size() - explicit_nonce_bytes - gcm_tag_bytes;
  const auto additional = additional_data(header, size);
  const auto context = start_gcm(*this, fragment.first(explicit_nonce_bytes), false, additional);
  Octets tag(fragment.end() - gcm_tag_bytes, fragment.end());
  Octets plaintext(size);
  int written = 0;
  const bool authentic =
      EVP_CipherUpdate(context.get(), plaintext.data(), &written,
                       fragment.data() + explicit_nonce_bytes, static_cast<int>(size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, gcm_tag_bytes, tag.data()) == 1 &&
      EVP_CipherFinal_ex(context.get(), plaintext.data() + size, &written) == 1;
  if (!authentic) plaintext.clear();
  return plaintext;
}

}  // namespace routevpn::test::scripted
