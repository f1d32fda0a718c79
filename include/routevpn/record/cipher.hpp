// The AEAD cipher suites that protect records.
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
  // Records that one key may seal. AES-GCM: 2^24.5 (RFC 9325 section 4.4, RFC 8446 section 5.5).
  // ChaCha20-Poly1305: 2^48, the number of sequence numbers (RFC 6347 section 4.1), which is below
  // the cipher's own limit.
  std::uint64_t record_limit;
  // Records after which a rekey starts. AES-GCM: 2^23, about 8 s at 12 Gbit/s; what remains to the
  // limit lasts longer, so there is time to retransmit lost flights of the handshake.
  std::uint64_t rekey_after;
};
const CipherTraits& traits(CipherSuite suite);

inline constexpr std::size_t tag_bytes = 16;
inline constexpr std::size_t nonce_bytes = 12;
inline constexpr std::size_t max_key_bytes = 32;

// Bytes before and after the payload of a record.
std::size_t headroom(CipherSuite suite);  // record header and explicit nonce
inline constexpr std::size_t tailroom = tag_bytes;

// The keys of one direction. The destructor wipes them.
struct DirectionKeys {
  std::array<std::uint8_t, max_key_bytes> key{};  // traits().key_bytes are used
  std::array<std::uint8_t, nonce_bytes> iv{};     // traits().fixed_iv_bytes are used

  DirectionKeys() = default;
  DirectionKeys(const DirectionKeys&) = default;
  DirectionKeys& operator=(const DirectionKeys&) = default;
  ~DirectionKeys();

  template <typename Io>
  friend void fields(Io& io, DirectionKeys& keys) {
    io(keys.key, keys.iv);
  }
};

enum class CryptoBackend : std::uint8_t {
  openssl,
  ipsec_mb,  // AES-GCM only
};
std::string_view name_of(CryptoBackend backend);  // as in --crypto: openssl, ipsec-mb

// One key of one direction, set up once. Works in place: `data`, which may be empty, is replaced by
// its ciphertext or plaintext. `nonce` has nonce_bytes bytes, `tag` has tag_bytes. Any thread may
// use it, one at a time.
class Aead {
 public:
  Aead() = default;
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;
  virtual ~Aead() = default;

  // False when the library failed; `data` is then undefined and must not be sent.
  virtual bool seal(const std::uint8_t* nonce, ConstBytes additional, Bytes data,
                    std::uint8_t* tag) = 0;
  // False when `data` does not authenticate; it is then unchanged.
  virtual bool open(const std::uint8_t* nonce, ConstBytes additional, Bytes data,
                    const std::uint8_t* tag) = 0;
};

// openssl: always. ipsec_mb: when routevpn was built with it and the processor accelerates it (VAES
// or AVX-512).
bool backend_available(CryptoBackend backend);
// ipsec_mb for AES-GCM where it is available, openssl otherwise.
CryptoBackend best_backend(CipherSuite suite);
// `key` has traits(suite).key_bytes bytes. Throws SystemError when the library fails, and for
// ipsec_mb with ChaCha20-Poly1305.
std::unique_ptr<Aead> make_aead(CryptoBackend backend, CipherSuite suite, ConstBytes key);

}  // namespace routevpn::record
