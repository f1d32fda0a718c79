#include "routevpn/dtls/recheck.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "routevpn/pki/openssl.hpp"

#include "ssl_connection.hpp"

namespace routevpn::dtls {

namespace {

using pki::Certificate;

void release_all(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, X509_free);
}
using Certificates = Owned<STACK_OF(X509), release_all>;
using StoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

std::vector<std::uint8_t> der_of(const X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  pki::require(size > 0, "encode a certificate");
  std::vector<std::uint8_t> der(static_cast<std::size_t>(size));
  unsigned char* to = der.data();
  i2d_X509(certificate, &to);
  return der;
}

Certificate parse(const std::vector<std::uint8_t>& der) {
  const unsigned char* from = der.data();
  return Certificate(pki::require(d2i_X509(nullptr, &from, static_cast<long>(der.size())),
                                  "decode a certificate"));
}

// OpenSSL does the same when it verifies the peer in a handshake (ssl_verify_cert_chain).
void set_parameters(X509_STORE_CTX* store, SSL* ssl) {
  const bool acceptor = SSL_is_server(ssl) != 0;
  pki::require(X509_STORE_CTX_set_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx(), ssl) == 1 &&
                   X509_STORE_CTX_set_default(store, acceptor ? "ssl_client" : "ssl_server") == 1,
               "prepare a verification");
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(store);
  X509_VERIFY_PARAM_set_auth_level(parameters, SSL_get_security_level(ssl));
  pki::require(X509_VERIFY_PARAM_set1(parameters, SSL_get0_param(ssl)) == 1,
               "prepare a verification");
  X509_STORE_CTX_set_verify_cb(store, SSL_get_verify_callback(ssl));
}

}  // namespace

CertificateChain chain_of_peer(const SSL* ssl) {
  CertificateChain chain;
  const X509* leaf = SSL_get0_peer_certificate(ssl);
  if (leaf == nullptr) return chain;
  chain.push_back(der_of(leaf));
  // An initiator's OpenSSL lists the leaf, too; an acceptor's does not.
  STACK_OF(X509)* const sent = SSL_get_peer_cert_chain(ssl);
  for (int i = SSL_is_server(ssl) != 0 ? 0 : 1; i < sk_X509_num(sent); ++i) {
    chain.push_back(der_of(sk_X509_value(sent, i)));
  }
  return chain;
}

std::optional<RecheckFault> recheck(const Identity& identity, Role role,
                                    const CertificateChain& chain) {
  if (chain.empty()) return RecheckFault{false, "the peer sent no certificate"};
  const bool initiator = role == Role::initiator;
  SSL_CTX* const context = initiator ? identity.initiator() : identity.acceptor();
  const auto connection = make_connection(identity, role);  // for the callback of verify.cpp
  SSL* const ssl = connection->ssl.get();
  initiator ? SSL_set_connect_state(ssl) : SSL_set_accept_state(ssl);

  const Certificate leaf = parse(chain.front());
  const Certificates others(pki::require(sk_X509_new_null(), "make a chain"));
  for (std::size_t i = 1; i < chain.size(); ++i) {
    Certificate one = parse(chain[i]);
    pki::require(sk_X509_push(others.get(), one.get()) > 0, "make a chain");
    [[maybe_unused]] const auto* const owned_by_stack = one.release();
  }
  const StoreContext store(pki::require(X509_STORE_CTX_new(), "prepare a verification"));
  pki::require(X509_STORE_CTX_init(store.get(), SSL_CTX_get_cert_store(context), leaf.get(),
                                   others.get()) == 1,
               "prepare a verification");
  set_parameters(store.get(), ssl);

  const bool verified = X509_verify_cert(store.get()) == 1;
  ERR_clear_error();
  if (verified) return std::nullopt;
  const int error = X509_STORE_CTX_get_error(store.get());
  return RecheckFault{error == X509_V_ERR_CERT_REVOKED, connection->refusal
                                                            ? connection->refusal->text
                                                            : X509_verify_cert_error_string(error)};
}

}  // namespace routevpn::dtls
