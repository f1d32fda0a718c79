// The AEAD cipher suites that records are protected with.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "routevpn/base/bytes.hpp"

namespace routevpn::record {

enum class CipherSuite : std::uint8_t {
  aes_128_gcm,        // RFC 5288
  aes_256_gcm,        // RFC 5288
  chacha20_poly1305,  // RFC 7905
};

struct CipherTraits {
  std::size_t key_bytes;
  std::size_t fixed_iv_bytes;        // from the key block
  std::size_t explicit_nonce_bytes;  // in each record, before the ciphertext
  // Records one key may seal. AES-GCM: 2^24.5, which RFC 9325 section 4.4 recommends for DTLS 1.2
  // as RFC 8446 section 5.5 does for TLS 1.3. ChaCha20-Poly1305: as many as there are sequence
  // numbers, RFC 6347 section 4.1; they run out before the cipher's own limit.
  std::uint64_t record_limit;
  // When a new association is wanted, in good time before that limit: the eight seconds that 2^23
  // records last at 12 Gbit/s repeat a lost handshake often enough.
  std::uint64_t renew_after;
};
const CipherTraits& traits(CipherSuite suite);

inline constexpr std::size_t tag_bytes = 16;
inline constexpr std::size_t nonce_bytes = 12;
inline constexpr std::size_t max_key_bytes = 32;

// Bytes before and after the payload of a record.
std::size_t headroom(CipherSuite suite);  // record header and explicit nonce
inline constexpr std::size_t tailroom = tag_bytes;

// The keys of one direction, wiped when it goes.
struct DirectionKeys {
  std::array<std::uint8_t, max_key_bytes> key{};  // traits().key_bytes of it
  std::array<std::uint8_t, nonce_bytes> iv{};     // traits().fixed_iv_bytes of it

  DirectionKeys() = default;
  DirectionKeys(const DirectionKeys&) = default;
  DirectionKeys& operator=(const DirectionKeys&) = default;
  ~DirectionKeys();
};

enum class CryptoBackend : std::uint8_t {
  openssl,
  ipsec_mb,  // AES-GCM only
};
std::string_view name_of(CryptoBackend backend);  // as --crypto takes it: openssl, ipsec-mb

// One key of one direction, set up once. In place: `data` is replaced by its ciphertext or
// plaintext, and may be empty. `nonce` has nonce_bytes bytes, `tag` has tag_bytes. Made in one
// thread and used in another, but never in two at the same time.
class Aead {
 public:
  Aead() = default;
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;
  virtual ~Aead() = default;

  // False when the library failed; `data` is then worthless and must not be sent.
  virtual bool seal(const std::uint8_t* nonce, ConstBytes additional, Bytes data,
                    std::uint8_t* tag) = 0;
  // False when it does not authenticate; `data` is then as it was.
  virtual bool open(const std::uint8_t* nonce, ConstBytes additional, Bytes data,
                    const std::uint8_t* tag) = 0;
};

// Whether the processor makes this backend worth having (VAES or AVX512 for ipsec_mb). False also
// when routevpn was built without it.
bool backend_available(CryptoBackend backend);
// ipsec_mb for AES-GCM where it is available, openssl otherwise.
CryptoBackend best_backend(CipherSuite suite);
// `key` has traits(suite).key_bytes bytes. Throws SystemError when the library refuses, and for
// ipsec_mb with ChaCha20-Poly1305.
std::unique_ptr<Aead> make_aead(CryptoBackend backend, CipherSuite suite, ConstBytes key);

}  // namespace routevpn::record
