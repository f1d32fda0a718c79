// The key block (RFC 5246 section 6.3) of a finished handshake, by OpenSSL's public API.
#pragma once

#include <optional>

#include <openssl/ssl.h>

#include "routevpn/dtls/psk.hpp"
#include "routevpn/record/cipher.hpp"

namespace routevpn::dtls {

struct KeyBlock {
  record::DirectionKeys initiator;  // seals what the initiator (DTLS client) sends
  record::DirectionKeys acceptor;
};

std::optional<record::CipherSuite> suite_of(const SSL* ssl);  // none: not supported
// The key block of the handshake; with a PSK, its mix with the PSK. Throws SystemError.
KeyBlock derive_key_block(SSL* ssl, record::CipherSuite suite, const Psk* psk = nullptr);

// Replaces the block by HKDF-SHA256 with the PSK's traffic secret as salt and the block as key.
// Either of the two keeps the result secret, so recorded traffic stays closed when ECDHE is broken
// later. Only the record layer's keys are mixed: OpenSSL's Finished is sealed with the block
// itself. Throws SystemError.
void mix_key_block(Bytes block, const Psk& psk);

}  // namespace routevpn::dtls
