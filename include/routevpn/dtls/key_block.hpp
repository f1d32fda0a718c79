// The key block (RFC 5246 section 6.3) of a finished handshake, by OpenSSL's public API.
#pragma once

#include <optional>

#include <openssl/ssl.h>

#include "routevpn/record/cipher.hpp"

namespace routevpn::dtls {

struct KeyBlock {
  record::DirectionKeys initiator;  // seals what the initiator (DTLS client) sends
  record::DirectionKeys acceptor;
};

std::optional<record::CipherSuite> suite_of(const SSL* ssl);     // none: not supported
KeyBlock derive_key_block(SSL* ssl, record::CipherSuite suite);  // throws SystemError

}  // namespace routevpn::dtls
