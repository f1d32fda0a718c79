// Private keys: which kinds we make, and which a request may bring.
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
// The digest that fits the key's strength; nullptr for Ed25519, which has its own.
const EVP_MD* signing_digest(const EVP_PKEY* key);
// Empty when links accept certificates of this key, else what it is and what they accept.
std::string why_unusable(const EVP_PKEY* key);

}  // namespace routevpn::pki
