// The TLS settings of every handshake (RFC 9325).
#pragma once

#include <string_view>

#include "routevpn/dtls/credentials.hpp"
#include "routevpn/dtls/handshake.hpp"

namespace routevpn::dtls {

// The ALPN protocols with control messages, in the order of preference, each after its length (RFC
// 7301 section 3.1). An end with a PSK offers and accepts those of psk_alpn alone. The second
// version added the sparse flow.
inline constexpr std::string_view control_alpn =
    "\x0a"
    "routevpn/2"
    "\x0a"
    "routevpn/1";
inline constexpr std::string_view psk_alpn =
    "\x0e"
    "routevpn/2+psk"
    "\x0e"
    "routevpn/1+psk";
inline constexpr std::string_view no_psk_alpn =
    "the peer does not agree on ALPN routevpn/2+psk or routevpn/1+psk, which a link with a PSK "
    "needs";

// Throws UsageError naming --ciphers or --peer-name, SystemError when OpenSSL refuses.
SslContext make_context(Role role, const Credentials& credentials, const IdentityPolicy& policy,
                        bool with_psk);

}  // namespace routevpn::dtls
