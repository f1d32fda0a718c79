// The cryptography of the scripted DTLS 1.2 peer, on OpenSSL's EVP primitives: P-256 or X25519,
// the PRF with SHA-256, AES-128-GCM records.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <openssl/evp.h>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::test::scripted {

using Octets = std::vector<std::uint8_t>;
inline void append(Octets& to, ConstBytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

using PrivateKey = Owned<EVP_PKEY, EVP_PKEY_free>;

// Named groups (RFC 8422 section 5.1.1).
inline constexpr std::uint16_t secp192r1 = 19;
inline constexpr std::uint16_t secp256r1 = 23;
inline constexpr std::uint16_t x25519 = 29;

// Signature schemes (RFC 5246 section 7.4.1.4.1, RFC 8446 section 4.2.3).
inline constexpr std::uint16_t rsa_pkcs1_sha256 = 0x0401;
inline constexpr std::uint16_t ecdsa_sha1 = 0x0203;
inline constexpr std::uint16_t ecdsa_sha256 = 0x0403;
inline constexpr std::uint16_t ed25519_scheme = 0x0807;

Octets sha256(ConstBytes data);
// RFC 5246 section 5, with SHA-256.
Octets prf(ConstBytes secret, std::string_view label, ConstBytes seed, std::size_t size);

// One ephemeral key of ECDHE.
class Exchange {
 public:
  explicit Exchange(std::uint16_t group);  // x25519; secp256r1 for every other group
  [[nodiscard]] Octets share() const;
  // Empty: the peer's share is not a point of the group.
  [[nodiscard]] Octets agree(ConstBytes peers_share) const;

 private:
  PrivateKey key_;
};

// A certificate chain in DER, leaf first, and its key.
struct Credentials {
  std::vector<Octets> chain;
  PrivateKey key;

  Credentials(const std::string& certificates_pem, const std::string& key_pem);
  [[nodiscard]] bool is_rsa() const;
  // The signature scheme of this kind of key with SHA-256.
  [[nodiscard]] std::uint16_t scheme() const;
  // With SHA-1 for ecdsa_sha1.
  [[nodiscard]] Octets sign(std::uint16_t scheme, ConstBytes data) const;
};

// The AES-128-GCM keys of one direction (RFC 5288).
struct RecordKeys {
  Octets key;  // 16 bytes
  Octets iv;   // 4 bytes

  // A whole record. The explicit nonce is epoch and sequence number.
  [[nodiscard]] Octets seal(record::Header header, ConstBytes plaintext) const;
  // Empty: the record does not authenticate.
  [[nodiscard]] Octets open(const record::Header& header, ConstBytes fragment) const;
};

}  // namespace routevpn::test::scripted
