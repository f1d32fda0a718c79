#include "routevpn/pki/key.hpp"

#include <array>
#include <cstddef>

namespace routevpn::pki {

namespace {

constexpr int weakest_rsa_bits = 2048;  // RFC 9325 section 4.5
constexpr std::size_t our_rsa_bits = 3072;

}  // namespace

Key generate_key(Algorithm algorithm) {
  EVP_PKEY* key = nullptr;
  switch (algorithm) {
    case Algorithm::p256:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
      break;
    case Algorithm::p384:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384");
      break;
    case Algorithm::ed25519:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
      break;
    case Algorithm::rsa3072:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", our_rsa_bits);
      break;
  }
  return Key(require(key, "generate a key"));
}

const EVP_MD* signing_digest(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return nullptr;
  const bool p384 = EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 384;
  return p384 ? EVP_sha384() : EVP_sha256();
}

std::string why_unusable(const EVP_PKEY* key) {
  static constexpr auto accepted =
      "; links accept ECDSA P-256 and P-384, Ed25519 and RSA of 2048 bits or more";
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return {};
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits >= weakest_rsa_bits) return {};
    return "has an RSA key of " + std::to_string(bits) + " bits" + accepted;
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    std::array<char, 64> group{};
    EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr);
    const std::string_view name(group.data());
    if (name == "prime256v1" || name == "secp384r1") return {};
    return "has an ECDSA key of curve " + std::string(name) + accepted;
  }
  const char* type = EVP_PKEY_get0_type_name(key);
  return "has a key of type " + std::string(type != nullptr ? type : "unknown") + accepted;
}

}  // namespace routevpn::pki
