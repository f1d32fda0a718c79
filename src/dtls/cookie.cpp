#include "cookie.hpp"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "routevpn/pki/openssl.hpp"

namespace routevpn::dtls {

namespace {

template <std::size_t size>
bool fill_randomly(std::array<std::uint8_t, size>& secret) {
  const bool filled = RAND_bytes(secret.data(), size) == 1;
  ERR_clear_error();
  return filled;
}

}  // namespace

CookieJar::CookieJar() {
  pki::require(fill_randomly(current_) && fill_randomly(previous_), "draw secrets for cookies");
}

CookieJar::~CookieJar() {
  OPENSSL_cleanse(current_.data(), current_.size());
  OPENSSL_cleanse(previous_.data(), previous_.size());
}

void CookieJar::rotate(Time now) {
  if (!rotated_) rotated_ = now;
  if (now - *rotated_ < lifetime) return;
  const bool both = now - *rotated_ >= 2 * lifetime;
  Secret fresh;
  // If RAND_bytes fails, the old secret stays in use.
  if (!fill_randomly(fresh) || (both && !fill_randomly(current_))) return;
  previous_ = std::exchange(current_, fresh);
  OPENSSL_cleanse(fresh.data(), fresh.size());
  rotated_ = now;
}

std::optional<CookieJar::Cookie> CookieJar::sign(const Secret& secret, const SocketAddress& from) {
  std::array<std::uint8_t, 16 + 2 + 1> message{};
  std::copy(from.address.bytes().begin(), from.address.bytes().end(), message.begin());
  store_be16(message.data() + 16, from.port);
  message[18] = from.address.is_v4() ? 4 : 6;
  Cookie cookie{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), message.data(),
           message.size(), cookie.data(), &size) == nullptr) {
    return std::nullopt;
  }
  return cookie;
}

bool CookieJar::is_valid(ConstBytes cookie, const SocketAddress& from) const {
  const auto matches = [&](const Secret& secret) {
    const auto expected = sign(secret, from);
    return expected && cookie.size() == expected->size() &&
           CRYPTO_memcmp(cookie.data(), expected->data(), expected->size()) == 0;
  };
  return matches(current_) || matches(previous_);
}

}  // namespace routevpn::dtls
