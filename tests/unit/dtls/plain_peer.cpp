#include "plain_peer.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "routevpn/record/wire.hpp"

namespace routevpn::test {

namespace {

void must(bool done) {
  if (!done) throw std::runtime_error("plain peer: set-up failed");
}

}  // namespace

PlainPeer::PlainPeer(dtls::Role role, const Issued& issued, const std::string& ca,
                     std::uint64_t options, bool with_certificate)
    : context_(SSL_CTX_new(DTLS_method())) {
  SSL_CTX_set_security_level(context_.get(), 0);  // accepts certificates that we refuse
  const TempDir dir;
  const auto files = write_files(dir, "plain", issued, ca);
  SSL_CTX* context = context_.get();
  if (with_certificate) {
    must(SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) == 1);
    must(SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1);
  }
  must(SSL_CTX_load_verify_locations(context, files.ca.c_str(), nullptr) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | options);
  ssl_.reset(SSL_new(context));
  SSL_set_mtu(ssl_.get(), dtls::handshake_mtu);
  BIO* bio = dtls::make_bio(pipe_).release();
  SSL_set_bio(ssl_.get(), bio, bio);
  if (role == dtls::Role::initiator) {
    SSL_set_connect_state(ssl_.get());
    SSL_do_handshake(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
  ERR_clear_error();
}

void PlainPeer::receive(const Datagram& datagram) {
  const bool first = SSL_get_state(ssl_.get()) == TLS_ST_BEFORE && SSL_is_server(ssl_.get()) == 1;
  if (first && continues_numbers) pipe_.number_from(record::decode(datagram.data()).sequence);
  pipe_.offer(datagram);
  SSL_do_handshake(ssl_.get());
  ERR_clear_error();
}

void PlainPeer::write(const std::string& text) {
  must(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) > 0);
}

std::string PlainPeer::read(const Datagram& datagram) {
  pipe_.offer(datagram);
  std::array<char, 256> text{};
  const int size = SSL_read(ssl_.get(), text.data(), text.size());
  ERR_clear_error();
  return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
}

void PlainPeer::renegotiate() {
  must(SSL_renegotiate(ssl_.get()) == 1);
  SSL_do_handshake(ssl_.get());
  ERR_clear_error();
}

void exchange(dtls::Handshake& ours, PlainPeer& plain, Time now) {
  for (bool active = true; active;) {
    const auto to_us = plain.take_output();
    for (const auto& datagram : to_us) ours.receive(datagram, now);
    const auto to_plain = ours.take_output();
    for (const auto& datagram : to_plain) plain.receive(datagram);
    active = !to_us.empty() || !to_plain.empty();
  }
}

std::unique_ptr<dtls::Handshake> accept(dtls::Listener& listener, PlainPeer& plain, Time now) {
  for (int flight = 0; flight < 2; ++flight) {
    for (const auto& datagram : plain.take_output()) {
      auto answer = listener.receive(datagram, initiator_address, now);
      for (const auto& reply : answer.output) plain.receive(reply);
      if (answer.handshake != nullptr) return std::move(answer.handshake);
    }
  }
  return nullptr;
}

}  // namespace routevpn::test
