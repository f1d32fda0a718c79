// Checks of the peer's certificate beyond its chain, and the text of a refusal.
#pragma once

#include <string>

#include <openssl/ssl.h>

namespace routevpn::dtls {

// Makes `context` require a certificate of our CA with this name; "*": any name. Throws SystemError
// if OpenSSL does not take the name: without it, OpenSSL would accept every name.
void require_peer(SSL_CTX* context, const std::string& peer_name);

}  // namespace routevpn::dtls
