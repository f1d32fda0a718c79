#include "routevpn/pki/key.hpp"

#include <array>
#include <cstddef>

namespace routevpn::pki {

namespace {

constexpr int weakest_rsa_bits = 2048;  // RFC 9325 section 4.5
constexpr std::size_t our_rsa_bits = 3072;
constexpr int strongest_rsa_bits = 8192;  // a signature of 1024 bytes, signer/sign_request.hpp

}  // namespace

Key generate_key(Algorithm algorithm) {
  const auto make = [](auto... kind) {
    return Key(require(EVP_PKEY_Q_keygen(nullptr, nullptr, kind...), "generate a key"));
  };
  switch (algorithm) {
    case Algorithm::p256:
      return make("EC", "P-256");
    case Algorithm::p384:
      return make("EC", "P-384");
    case Algorithm::ed25519:
      return make("ED25519");
    case Algorithm::rsa3072:
      break;
  }
  return make("RSA", our_rsa_bits);
}

const EVP_MD* signing_digest(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return nullptr;
  const bool p384 = EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_bits(key) == 384;
  return p384 ? EVP_sha384() : EVP_sha256();
}

std::string why_unusable(const EVP_PKEY* key) {
  static constexpr auto accepted =
      "; links accept ECDSA P-256 and P-384, Ed25519 and RSA of 2048 to 8192 bits";
  if (key == nullptr) return "has a key of a type that OpenSSL does not support";
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return {};
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits >= weakest_rsa_bits && bits <= strongest_rsa_bits) return {};
    return "has an RSA key of " + std::to_string(bits) + " bits" + accepted;
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    std::array<char, 64> group{};
    EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr);
    ERR_clear_error();
    const std::string_view name(group.data());
    if (name == "prime256v1" || name == "secp384r1") return {};
    return "has an ECDSA key of curve " + std::string(name) + accepted;
  }
  const char* type = EVP_PKEY_get0_type_name(key);
  return "has a key of type " + std::string(type != nullptr ? type : "unknown") + accepted;
}

}  // namespace routevpn::pki
