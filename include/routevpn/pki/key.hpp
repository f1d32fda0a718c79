// Private keys: the kinds that we make, and the kinds that a request may have.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "routevpn/pki/openssl.hpp"

namespace routevpn::pki {

enum class Algorithm : std::uint8_t { p256, p384, ed25519, rsa3072 };
inline constexpr std::array<std::pair<Algorithm, const char*>, 4> algorithm_names = {
    {{Algorithm::p256, "p256"},
     {Algorithm::p384, "p384"},
     {Algorithm::ed25519, "ed25519"},
     {Algorithm::rsa3072, "rsa3072"}}};

Key generate_key(Algorithm algorithm);
// The digest for signatures by this key; nullptr for Ed25519, which has a digest of its own.
const EVP_MD* signing_digest(const EVP_PKEY* key);
// Empty if links accept certificates of this key; otherwise its kind and the accepted ones.
std::string why_unusable(const EVP_PKEY* key);

}  // namespace routevpn::pki
