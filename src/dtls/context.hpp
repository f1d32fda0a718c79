// The TLS settings of every handshake (RFC 9325).
#pragma once

#include "routevpn/dtls/handshake.hpp"

#include "credentials.hpp"

namespace routevpn::dtls {

// Throws UsageError naming --ciphers or --peer-name, SystemError when OpenSSL refuses.
SslContext make_context(Role role, const Credentials& credentials, const IdentityPolicy& policy);

}  // namespace routevpn::dtls
