// The key block of RFC 5246 section 6.3, derived from a finished handshake with OpenSSL's public
// API.
#pragma once

#include <optional>

#include <openssl/ssl.h>

#include "routevpn/record/cipher.hpp"

namespace routevpn::dtls {

struct KeyBlock {
  record::DirectionKeys initiator;  // seals what the initiator (DTLS client) sends
  record::DirectionKeys acceptor;
};

std::optional<record::CipherSuite> suite_of(const SSL* ssl);     // none: not one of ours
KeyBlock derive_key_block(SSL* ssl, record::CipherSuite suite);  // throws SystemError

}  // namespace routevpn::dtls
