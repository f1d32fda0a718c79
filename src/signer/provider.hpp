// What the parts of the provider share.
#pragma once

#include <memory>

#include <openssl/core.h>

#include "routevpn/signer/remote_key.hpp"

namespace routevpn::signer {

inline constexpr const char* provider_name = "routevpn";

enum class KeyType : std::uint8_t { ec, rsa, ed25519 };

struct RemoteKey {
  KeyType type;
  pki::Key public_key;  // of the default provider
  SignFunction sign;

  [[nodiscard]] std::size_t max_signature() const {
    return static_cast<std::size_t>(EVP_PKEY_get_size(public_key.get()));
  }
};
using RemoteKeyPtr = std::shared_ptr<const RemoteKey>;

// The key data that OpenSSL passes to the provider's functions. Empty until the import.
struct KeyData {
  RemoteKeyPtr key;
};

// EVP_PKEY_fromdata() takes a key from this parameter, a pointer to a RemoteKeyPtr. No other import
// is supported.
inline constexpr const char* remote_key_parameter = "routevpn-remote-key";

// A digest that keys sign, fetched from the default provider when the provider is loaded.
struct Digest {
  SignDigest id;
  Owned<EVP_MD, EVP_MD_free> method;
};
// nullptr for a digest that keys do not sign. `name`: any of OpenSSL's names for it.
const Digest* find_digest(const char* name);

// Puts "the process that holds the private key refused to sign" into OpenSSL's error queue.
void raise_refusal();

// An entry of a dispatch table. `Function` is the type that OpenSSL's core_dispatch.h declares for
// the id.
template <typename Function>
OSSL_DISPATCH entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_ALGORITHM* key_algorithms();
const OSSL_ALGORITHM* signature_algorithms();

}  // namespace routevpn::signer
