#include "routevpn/dtls/psk.hpp"

#include <algorithm>

#include <openssl/crypto.h>

#include "hkdf.hpp"

namespace routevpn::dtls {

// Not std::make_shared, because only `new` uses locked memory.
PskPtr Psk::make(std::span<const std::uint8_t, bytes> key) {
  const std::shared_ptr<Psk> made(new Psk);
  hkdf_sha256({}, key, "routevpn/1 psk envelope", made->envelope_secret_);
  hkdf_sha256({}, key, "routevpn/1 psk traffic", made->traffic_secret_);
  return made;
}

PskPtr Psk::of_secrets(std::span<const std::uint8_t, bytes> envelope,
                       std::span<const std::uint8_t, bytes> traffic) {
  const std::shared_ptr<Psk> made(new Psk);
  std::ranges::copy(envelope, made->envelope_secret_.begin());
  std::ranges::copy(traffic, made->traffic_secret_.begin());
  return made;
}

bool same(const PskPtr& a, const PskPtr& b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr &&
         CRYPTO_memcmp(a->traffic_secret().data(), b->traffic_secret().data(), Psk::bytes) == 0;
}

}  // namespace routevpn::dtls
