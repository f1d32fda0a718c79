#include "ssl_connection.hpp"

#include <algorithm>

#include <openssl/err.h>

namespace routevpn::dtls {

namespace {

// OpenSSL passes 0 at the start of a flight, and the elapsed interval at each timeout.
unsigned int next_interval(SSL* ssl, unsigned int passed_us) {
  const Duration next = passed_us == 0
                            ? Handshake::first_retransmission
                            : std::min<Duration>(2 * std::chrono::microseconds(passed_us),
                                                 Handshake::last_retransmission);
  SslConnection::of(ssl).pipe.timer.interval = next;
  return static_cast<unsigned int>(
      std::chrono::duration_cast<std::chrono::microseconds>(next).count());
}

}  // namespace

SslConnection& SslConnection::of(const SSL* ssl) {
  return *static_cast<SslConnection*>(SSL_get_app_data(ssl));
}

std::unique_ptr<SslConnection> make_connection(SSL_CTX* context, long mtu) {
  auto connection = std::make_unique<SslConnection>();
  connection->pipe.mtu = mtu;
  connection->ssl.reset(SSL_new(context));
  SSL* ssl = connection->ssl.get();
  pki::require(ssl != nullptr && SSL_set_app_data(ssl, connection.get()) == 1 &&
                   SSL_set_mtu(ssl, mtu) == mtu,
               "make an SSL object");
  BIO* bio = make_bio(connection->pipe).release();
  SSL_set_bio(ssl, bio, bio);
  DTLS_set_timer_cb(ssl, next_interval);
  return connection;
}

HandshakeFailure failure_from_queue() {
  const unsigned long error = ERR_peek_error();
  ERR_clear_error();
  if (error == 0) return {Drop::handshake_failed, "the peer closed the handshake"};
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
      return {Drop::certificate_refused, "peer refused: it sent no certificate"};
    }
    if (reason > SSL_AD_REASON_OFFSET) {
      return {Drop::handshake_failed,
              std::string("the peer refused the handshake with alert \"") +
                  SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET) + '"'};
    }
  }
  const char* text = ERR_reason_error_string(error);
  return {Drop::handshake_failed,
          std::string("handshake failed: ") + (text != nullptr ? text : "unknown OpenSSL error")};
}

}  // namespace routevpn::dtls
