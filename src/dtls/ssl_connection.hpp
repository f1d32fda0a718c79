// One SSL object and the state that its callbacks use.
#pragma once

#include <chrono>
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
  std::chrono::days crl_grace{0};  // see IdentityPolicy

  static SslConnection& of(const SSL* ssl);
};

// Throws SystemError.
std::unique_ptr<SslConnection> make_connection(const Identity& identity, Role role);

std::string quoted_alert(int description);
// What an alert of the peer tells: RFC 5246 section 7.2.2.
HandshakeFailure refusal_by_peer(int description);

// Describes OpenSSL's first queued error and clears the queue.
HandshakeFailure failure_from_queue();

}  // namespace routevpn::dtls
