// The TLS settings of every handshake (RFC 9325).
#pragma once

#include <string_view>

#include "routevpn/dtls/handshake.hpp"

#include "credentials.hpp"

namespace routevpn::dtls {

// The ALPN protocol with control messages, after its length (RFC 7301 section 3.1).
inline constexpr std::string_view control_alpn =
    "\x0a"
    "routevpn/1";

// Throws UsageError naming --ciphers or --peer-name, SystemError when OpenSSL refuses.
SslContext make_context(Role role, const Credentials& credentials, const IdentityPolicy& policy);

}  // namespace routevpn::dtls
