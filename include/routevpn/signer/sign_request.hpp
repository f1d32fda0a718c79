// What the worker sends to the monitor for one signature of a handshake. No OpenSSL types, so that
// the channel between them needs none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "routevpn/base/bytes.hpp"

namespace routevpn::signer {

enum class SignScheme : std::uint8_t { ecdsa, rsa_pkcs1, rsa_pss, ed25519 };
enum class SignDigest : std::uint8_t { none, sha256, sha384 };  // none: only with ed25519

// Longest signature: RSA of 8192 bits.
inline constexpr std::size_t max_signature_bytes = 8192 / 8;
// Longest message of an Ed25519 signature: a transcript of DTLS 1.2 with two certificate lists of
// 16 KiB, and 16 KiB for all other messages.
inline constexpr std::size_t max_message_bytes = 48UL * 1024;

struct SignRequest {
  SignScheme scheme;
  SignDigest digest;
  // The digest. For Ed25519 the message: RFC 8032 section 5.1.6 hashes the message twice, with
  // secret bytes before it, so its digest cannot replace it.
  ConstBytes bytes;
};

// 0 for none.
constexpr std::size_t digest_bytes(SignDigest digest) {
  switch (digest) {
    case SignDigest::none:
      break;
    case SignDigest::sha256:
      return 32;
    case SignDigest::sha384:
      return 48;
  }
  return 0;
}

}  // namespace routevpn::signer
