#include "cookie.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "routevpn/base/secret.hpp"
#include "routevpn/pki/openssl.hpp"

namespace routevpn::dtls {

CookieJar::Mac CookieJar::make_mac() {
  using Method = Owned<EVP_MAC, EVP_MAC_free>;
  const Method hmac(EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr));
  Mac mac(hmac == nullptr ? nullptr : EVP_MAC_CTX_new(hmac.get()));
  std::string digest = OSSL_DIGEST_NAME_SHA2_256;
  const std::array parameters{
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  Secret<32> secret;
  const bool made = mac != nullptr && RAND_bytes(secret.data(), secret.size()) == 1 &&
                    EVP_MAC_init(mac.get(), secret.data(), secret.size(), parameters.data()) == 1;
  ERR_clear_error();
  if (!made) mac.reset();
  return mac;
}

CookieJar::CookieJar() {
  pki::require(current_ != nullptr && previous_ != nullptr, "draw secrets for cookies");
}

void CookieJar::rotate(Time now) {
  if (!rotated_) rotated_ = now;
  if (now - *rotated_ < lifetime) return;
  const bool both = now - *rotated_ >= 2 * lifetime;
  Mac fresh = make_mac();
  Mac older = both ? make_mac() : nullptr;
  // Without randomness the old secrets stay in use.
  if (fresh == nullptr || (both && older == nullptr)) return;
  previous_ = both ? std::move(older) : std::move(current_);
  current_ = std::move(fresh);
  rotated_ = now;
}

std::optional<Cookie> CookieJar::sign(const Mac& mac, const SocketAddress& from,
                                      const ClientHello& hello) {
  std::array<std::uint8_t, 16 + 2 + 1> source{};
  std::ranges::copy(from.address.bytes(), source.begin());
  store_be16(source.data() + 16, from.port);
  source[18] = from.address.is_v4() ? 4 : 6;
  Cookie cookie{};
  std::size_t size = 0;
  // Without a key EVP_MAC_init() begins a message with the same key.
  bool done = EVP_MAC_init(mac.get(), nullptr, 0, nullptr) == 1;
  for (const ConstBytes part : {ConstBytes(source), hello.before_cookie, hello.after_cookie}) {
    done = done && EVP_MAC_update(mac.get(), part.data(), part.size()) == 1;
  }
  done = done && EVP_MAC_final(mac.get(), cookie.data(), &size, cookie.size()) == 1;
  if (done) return cookie;
  ERR_clear_error();
  return std::nullopt;
}

std::optional<Cookie> CookieJar::make(const SocketAddress& from, const ClientHello& hello) const {
  return sign(current_, from, hello);
}

bool CookieJar::is_valid(const SocketAddress& from, const ClientHello& hello) const {
  if (hello.cookie.size() != cookie_bytes) return false;
  const auto matches = [&](const Mac& mac) {
    const auto expected = sign(mac, from, hello);
    return expected && CRYPTO_memcmp(hello.cookie.data(), expected->data(), expected->size()) == 0;
  };
  return matches(current_) || matches(previous_);
}

}  // namespace routevpn::dtls
