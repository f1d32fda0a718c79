// Stateless cookies that prove a ClientHello's source address, RFC 6347 section 4.2.1.
#pragma once

#include <optional>

#include <openssl/evp.h>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"
#include "routevpn/base/owned.hpp"

#include "client_hello.hpp"

namespace routevpn::dtls {

// A cookie is the HMAC-SHA256 of address, port and all of the ClientHello's body but the cookie:
// the initiator repeats its parameters in the second ClientHello. So a cookie that was seen on the
// path serves only the ClientHello that it was made for.
class CookieJar {
 public:
  // A cookie stays valid for one to two lifetimes.
  static constexpr Duration lifetime = std::chrono::seconds(60);

  CookieJar();  // throws SystemError when there is no randomness

  void rotate(Time now);
  // None: OpenSSL failed.
  [[nodiscard]] std::optional<Cookie> make(const SocketAddress& from,
                                           const ClientHello& hello) const;
  [[nodiscard]] bool is_valid(const SocketAddress& from, const ClientHello& hello) const;

 private:
  // An HMAC with a secret of its own, which only OpenSSL has. It is set up once per secret, because
  // that takes longer than a cookie.
  using Mac = Owned<EVP_MAC_CTX, EVP_MAC_CTX_free>;
  static Mac make_mac();  // empty: no randomness
  static std::optional<Cookie> sign(const Mac& mac, const SocketAddress& from,
                                    const ClientHello& hello);

  Mac current_ = make_mac();
  Mac previous_ = make_mac();
  std::optional<Time> rotated_;
};

}  // namespace routevpn::dtls
