// Stateless cookies that prove a ClientHello's source address, RFC 6347 section 4.2.1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "routevpn/base/address.hpp"
#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"

namespace routevpn::dtls {

class CookieJar {
 public:
  // A cookie stays valid for one to two lifetimes.
  static constexpr Duration lifetime = std::chrono::seconds(60);
  using Cookie = std::array<std::uint8_t, 32>;  // HMAC-SHA256

  CookieJar();  // throws SystemError when there is no randomness
  ~CookieJar();
  CookieJar(const CookieJar&) = delete;
  CookieJar& operator=(const CookieJar&) = delete;

  void rotate(Time now);
  [[nodiscard]] std::optional<Cookie> make(const SocketAddress& from) const {
    return sign(current_, from);
  }
  [[nodiscard]] bool is_valid(ConstBytes cookie, const SocketAddress& from) const;

 private:
  using Secret = std::array<std::uint8_t, 32>;
  static std::optional<Cookie> sign(const Secret& secret, const SocketAddress& from);

  Secret current_{};
  Secret previous_{};
  std::optional<Time> rotated_;
};

}  // namespace routevpn::dtls
