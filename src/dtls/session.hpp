// One SSL object with all that its callbacks need.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "routevpn/base/address.hpp"
#include "routevpn/dtls/handshake.hpp"

#include "bio.hpp"

namespace routevpn::dtls {

class CookieJar;

inline constexpr std::string_view no_extended_master_secret =
    "the peer does not do the extended master secret (RFC 7627)";

struct Session {
  DatagramPipe pipe;  // the SSL object's BIO is on it
  Owned<SSL, SSL_free> ssl;
  // Set by a callback that refused the peer: says more than OpenSSL's error does.
  std::optional<HandshakeFailure> refusal;
  // Of a session that waits for a ClientHello.
  const CookieJar* cookies = nullptr;
  SocketAddress from;

  static Session& of(const SSL* ssl);
};

// Throws SystemError.
std::unique_ptr<Session> make_session(SSL_CTX* context);

// What OpenSSL's first queued error says, in a few words; clears the queue.
HandshakeFailure failure_from_queue();

}  // namespace routevpn::dtls
