// What we ask of the peer's certificate beyond its chain, and how a refusal reads.
#pragma once

#include <string>

#include <openssl/ssl.h>

namespace routevpn::dtls {

// Makes `context` demand a certificate of our CA with this name; "*": any name.
void require_peer(SSL_CTX* context, const std::string& peer_name);

}  // namespace routevpn::dtls
