// Private keys: the kinds that we make, and the kinds that a request may have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "routevpn/pki/openssl.hpp"

namespace routevpn::pki {

enum class Algorithm : std::uint8_t { p256, p384, ed25519, rsa3072 };

// Throws UsageError naming the allowed ones.
Algorithm parse_algorithm(std::string_view text);

Key generate_key(Algorithm algorithm);
// The digest for signatures by this key; nullptr for Ed25519, which has a digest of its own.
const EVP_MD* signing_digest(const EVP_PKEY* key);
// Empty if links accept certificates of this key; otherwise its kind and the accepted ones.
std::string why_unusable(const EVP_PKEY* key);

}  // namespace routevpn::pki
