// One SSL object and the state that its callbacks use.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "routevpn/dtls/envelope.hpp"
#include "routevpn/dtls/handshake.hpp"

#include "bio.hpp"

namespace routevpn::dtls {

inline constexpr std::string_view no_extended_master_secret =
    "the peer does not support the extended master secret (RFC 7627)";

struct SslConnection {
  DatagramPipe pipe;  // the SSL object's BIO is on it
  Owned<SSL, SSL_free> ssl;
  // Set by a callback that refused the peer: more precise than OpenSSL's error.
  std::optional<HandshakeFailure> refusal;

  static SslConnection& of(const SSL* ssl);
};

// The largest datagram that OpenSSL may send: an envelope is added to it if there is a PSK.
inline long mtu_of(const Identity& identity) {
  return identity.psks().empty() ? handshake_mtu : handshake_mtu - long{envelope_overhead};
}

// Throws SystemError.
std::unique_ptr<SslConnection> make_connection(SSL_CTX* context, long mtu = handshake_mtu);

// Describes OpenSSL's first queued error and clears the queue.
HandshakeFailure failure_from_queue();

}  // namespace routevpn::dtls
