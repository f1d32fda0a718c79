#include "routevpn/record/cipher.hpp"

#include <cassert>

#include <openssl/crypto.h>

#include "routevpn/record/wire.hpp"

#include "backends.hpp"

namespace routevpn::record {

namespace {

// 2^24.5 is the square root of 2^49.
constexpr std::uint64_t gcm_record_limit = 23'726'566;
static_assert(gcm_record_limit * gcm_record_limit <= std::uint64_t{1} << 49);
static_assert((gcm_record_limit + 1) * (gcm_record_limit + 1) > std::uint64_t{1} << 49);

constexpr std::uint64_t gcm_rekey_after = std::uint64_t{1} << 23;
constexpr std::uint64_t sequence_numbers = max_sequence + 1;

constexpr CipherTraits aes_128_gcm{16, 4, 8, gcm_record_limit, gcm_rekey_after};
constexpr CipherTraits aes_256_gcm{32, 4, 8, gcm_record_limit, gcm_rekey_after};
constexpr CipherTraits chacha20_poly1305{32, 12, 0, sequence_numbers, sequence_numbers / 2};

}  // namespace

const CipherTraits& traits(CipherSuite suite) {
  if (suite == CipherSuite::chacha20_poly1305) return chacha20_poly1305;
  return suite == CipherSuite::aes_256_gcm ? aes_256_gcm : aes_128_gcm;
}

std::size_t headroom(CipherSuite suite) {
  return header_bytes + traits(suite).explicit_nonce_bytes;
}

DirectionKeys::~DirectionKeys() {
  OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(iv.data(), iv.size());
}

std::string_view name_of(CryptoBackend backend) {
  return backend == CryptoBackend::ipsec_mb ? "ipsec-mb" : "openssl";
}

bool backend_available(CryptoBackend backend) {
  return backend == CryptoBackend::openssl || ipsec_mb_is_accelerated();
}

CryptoBackend best_backend(CipherSuite suite) {
  return suite != CipherSuite::chacha20_poly1305 && ipsec_mb_is_accelerated()
             ? CryptoBackend::ipsec_mb
             : CryptoBackend::openssl;
}

std::unique_ptr<Aead> make_aead(CryptoBackend backend, CipherSuite suite, ConstBytes key) {
  assert(key.size() == traits(suite).key_bytes);
  return backend == CryptoBackend::ipsec_mb ? make_ipsec_mb_aead(suite, key)
                                            : make_openssl_aead(suite, key);
}

}  // namespace routevpn::record
