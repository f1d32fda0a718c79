// A DTLS 1.2 peer that uses OpenSSL alone, like s_client and s_server.
#pragma once

#include <openssl/ssl.h>

#include "../../../src/dtls/bio.hpp"
#include "pair.hpp"

namespace routevpn::test {

class PlainPeer {
 public:
  // As an acceptor it continues the number of the ClientHello, RFC 6347 section 4.2.1, as OpenSSL
  // does after DTLSv1_listen(). Without, it counts from 0.
  bool continues_numbers = true;

  // `options` are SSL_OP_..., on top of the defaults.
  PlainPeer(dtls::Role role, const Issued& issued, const std::string& ca, std::uint64_t options = 0,
            bool with_certificate = true);

  void receive(const Datagram& datagram);  // and continues the handshake
  dtls::Datagrams take_output() { return pipe_.take_output(); }
  [[nodiscard]] bool completed() const { return SSL_is_init_finished(ssl_.get()) == 1; }

  void write(const std::string& text);  // as application data
  std::string read(const Datagram& datagram);
  void renegotiate();

 private:
  dtls::DatagramPipe pipe_;
  Owned<SSL_CTX, SSL_CTX_free> context_;
  Owned<SSL, SSL_free> ssl_;
};

// Exchanges datagrams until neither end sends more.
void exchange(dtls::Handshake& ours, PlainPeer& plain, Time now);
// Passes the ClientHellos through the listener.
std::unique_ptr<dtls::Handshake> accept(dtls::Listener& listener, PlainPeer& plain, Time now);

}  // namespace routevpn::test
