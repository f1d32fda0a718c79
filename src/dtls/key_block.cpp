#include "routevpn/dtls/key_block.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "routevpn/base/secret.hpp"
#include "routevpn/pki/openssl.hpp"

#include "hkdf.hpp"

namespace routevpn::dtls {

namespace {

using pki::require;

constexpr std::string_view label = "key expansion";
constexpr std::size_t max_key_block_bytes = 2 * (record::max_key_bytes + record::nonce_bytes);

std::vector<unsigned char> seed_of(const SSL* ssl) {
  std::vector<unsigned char> seed(label.begin(), label.end());
  seed.resize(label.size() + std::size_t{2} * SSL3_RANDOM_SIZE);
  unsigned char* server = seed.data() + label.size();
  SSL_get_server_random(ssl, server, SSL3_RANDOM_SIZE);
  SSL_get_client_random(ssl, server + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
  return seed;
}

// RFC 5246 section 5, with the hash of the cipher suite.
void tls1_prf(const char* digest, std::span<unsigned char> secret, std::vector<unsigned char> seed,
              std::span<unsigned char> out) {
  const Owned<EVP_KDF, EVP_KDF_free> kdf(
      require(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_TLS1_PRF, nullptr), "find TLS1-PRF"));
  const Owned<EVP_KDF_CTX, EVP_KDF_CTX_free> context(
      require(EVP_KDF_CTX_new(kdf.get()), "make a key derivation"));
  std::string digest_name(digest);
  const std::array parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()),
      OSSL_PARAM_construct_end()};
  require(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1,
          "derive the key block");
}

// Moves the next bytes of the key block to `into`.
void take(std::span<const unsigned char>& block, std::size_t size, std::uint8_t* into) {
  std::copy_n(block.begin(), size, into);
  block = block.subspan(size);
}

}  // namespace

std::optional<record::CipherSuite> suite_of(const SSL* ssl) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  if (cipher == nullptr) return std::nullopt;
  switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm:
      return record::CipherSuite::aes_128_gcm;
    case NID_aes_256_gcm:
      return record::CipherSuite::aes_256_gcm;
    case NID_chacha20_poly1305:
      return record::CipherSuite::chacha20_poly1305;
    default:
      return std::nullopt;
  }
}

void mix_key_block(Bytes block, const Psk& psk) {
  Secret<max_key_block_bytes> mixed;
  const auto used = std::span(mixed).first(block.size());
  hkdf_sha256(psk.traffic_secret(), block, "routevpn/1+psk traffic keys", used);
  std::ranges::copy(used, block.begin());
}

KeyBlock derive_key_block(SSL* ssl, record::CipherSuite suite, const Psk* psk) {
  const SSL_SESSION* session = require(SSL_get_session(ssl), "show the session");
  const EVP_MD* digest = require(SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl)),
                                 "show the session's digest");
  Secret<SSL_MAX_MASTER_KEY_LENGTH> master;
  const std::size_t master_bytes =
      SSL_SESSION_get_master_key(session, master.data(), master.size());

  const auto& cipher = record::traits(suite);
  Secret<max_key_block_bytes> block;
  const auto used = std::span(block).first(2 * (cipher.key_bytes + cipher.fixed_iv_bytes));
  tls1_prf(EVP_MD_get0_name(digest), std::span(master).first(master_bytes), seed_of(ssl), used);
  if (psk != nullptr) mix_key_block(used, *psk);

  KeyBlock keys;
  std::span<const unsigned char> rest = used;
  take(rest, cipher.key_bytes, keys.initiator.key.data());
  take(rest, cipher.key_bytes, keys.acceptor.key.data());
  take(rest, cipher.fixed_iv_bytes, keys.initiator.iv.data());
  take(rest, cipher.fixed_iv_bytes, keys.acceptor.iv.data());
  return keys;
}

}  // namespace routevpn::dtls
