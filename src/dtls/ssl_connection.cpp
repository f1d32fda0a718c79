#include "ssl_connection.hpp"

#include <algorithm>

#include <openssl/err.h>

#include "message.hpp"

namespace routevpn::dtls {

namespace {

constexpr long max_sent_record_bytes = 2048;
static_assert(max_sent_record_bytes > handshake_mtu);

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

// The largest datagram that OpenSSL may send: an envelope is added to it if there is a PSK.
long mtu_of(const Identity& identity) {
  return identity.psks().empty() ? handshake_mtu : handshake_mtu - long{envelope_overhead};
}

}  // namespace

SslConnection& SslConnection::of(const SSL* ssl) {
  return *static_cast<SslConnection*>(SSL_get_app_data(ssl));
}

std::unique_ptr<SslConnection> make_connection(const Identity& identity, Role role) {
  auto connection = std::make_unique<SslConnection>();
  const long mtu = mtu_of(identity);
  connection->pipe.mtu = mtu;
  connection->crl_grace = identity.crl_grace();
  connection->ssl.reset(
      SSL_new(role == Role::initiator ? identity.initiator() : identity.acceptor()));
  SSL* ssl = connection->ssl.get();
  pki::require(ssl != nullptr && SSL_set_app_data(ssl, connection.get()) == 1 &&
                   SSL_set_mtu(ssl, mtu) == mtu,
               "make an SSL object");
  // Strangers make us allocate. Both limits are above what a handshake needs: we send no record
  // larger than a datagram, and ReceiveFilter passes no larger certificate message.
  SSL_set_max_cert_list(ssl, max_certificate_message_bytes);
  pki::require(SSL_set_max_send_fragment(ssl, max_sent_record_bytes) == 1, "limit records");
  BIO* bio = make_bio(connection->pipe).release();
  SSL_set_bio(ssl, bio, bio);
  DTLS_set_timer_cb(ssl, next_interval);
  return connection;
}

std::string quoted_alert(int description) {
  return std::string("alert \"") + SSL_alert_desc_string_long(description) + '"';
}

HandshakeFailure refusal_by_peer(int description) {
  const auto* const text = [description] {
    switch (description) {
      case SSL_AD_CLOSE_NOTIFY:
        return "the peer closed the handshake";
      case SSL_AD_BAD_CERTIFICATE:
      case SSL_AD_UNSUPPORTED_CERTIFICATE:
      case SSL_AD_CERTIFICATE_UNKNOWN:
        return "the peer refused our certificate, for example because its --peer-name differs";
      case SSL_AD_CERTIFICATE_REVOKED:
        return "the peer refused our certificate as revoked";
      case SSL_AD_CERTIFICATE_EXPIRED:
        return "the peer refused our certificate as expired or not yet valid; compare the clocks";
      case SSL_AD_UNKNOWN_CA:
        return "the peer refused our certificate, because its --ca lacks our CA";
      default:
        return "the peer refused the handshake";
    }
  }();
  return {Drop::handshake_failed, std::string(text) + " (" + quoted_alert(description) + ')',
          refused_by_peer};
}

HandshakeFailure failure_from_queue() {
  const unsigned long error = ERR_peek_error();
  ERR_clear_error();
  if (error == 0) return {Drop::handshake_failed, "handshake failed: OpenSSL gave no reason"};
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
      return {Drop::certificate_refused, "peer refused: it sent no certificate"};
    }
    if (reason > SSL_AD_REASON_OFFSET) {
      return refusal_by_peer(reason - SSL_AD_REASON_OFFSET);
    }
  }
  const char* text = ERR_reason_error_string(error);
  return {Drop::handshake_failed,
          std::string("handshake failed: ") + (text != nullptr ? text : "unknown OpenSSL error")};
}

}  // namespace routevpn::dtls
