#include "routevpn/dtls/psk.hpp"

#include <openssl/crypto.h>

#include "hkdf.hpp"

namespace routevpn::dtls {

Psk::Psk(std::span<const std::uint8_t, bytes> key) {
  hkdf_sha256({}, key, "routevpn/1 psk envelope", envelope_secret_);
  hkdf_sha256({}, key, "routevpn/1 psk traffic", traffic_secret_);
}

// Not std::make_shared, because only `new` uses locked memory.
PskPtr Psk::make(std::span<const std::uint8_t, bytes> key) {
  return PskPtr(new Psk(key));
}

bool same(const PskPtr& a, const PskPtr& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr &&
         CRYPTO_memcmp(a->traffic_secret().data(), b->traffic_secret().data(), Psk::bytes) == 0;
}

}  // namespace routevpn::dtls
