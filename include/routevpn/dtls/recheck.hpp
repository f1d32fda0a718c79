// Verifies the peer's certificate of a completed handshake again, because reloaded credentials may
// refuse it: its CA was removed, a CRL lists it, or the peer must have another name.
#pragma once

#include <optional>
#include <string>

#include <openssl/ssl.h>

#include "routevpn/dtls/handshake.hpp"

namespace routevpn::dtls {

// What the peer sent in its handshake. Throws SystemError.
CertificateChain chain_of_peer(const SSL* ssl);

struct RecheckFault {
  bool revoked = false;  // by our CRL
  std::string text;      // certificate of NAME refused: REASON
};
// Applies the checks of a handshake in this role. None: the certificate is still accepted. Throws
// SystemError.
std::optional<RecheckFault> recheck(const Identity& identity, Role role,
                                    const CertificateChain& chain);

}  // namespace routevpn::dtls
