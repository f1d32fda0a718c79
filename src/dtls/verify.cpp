#include "verify.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/text.hpp"

#include "certificate.hpp"
#include "ssl_connection.hpp"

namespace routevpn::dtls {

namespace {

const SSL* ssl_of(X509_STORE_CTX* store) {
  return static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
}

std::string expected_name(X509_STORE_CTX* store) {
  const char* name = X509_VERIFY_PARAM_get0_host(X509_STORE_CTX_get0_param(store), 0);
  return name != nullptr ? name : "";
}

// A wrong clock is as likely as a wrong date in a certificate.
std::string by_our_clock() {
  return "; our clock has " + rfc3339(std::chrono::system_clock::now());
}

// The fault, as a continuation of "certificate of NAME refused: ".
std::string fault_of(X509_STORE_CTX* store) {
  const int error = X509_STORE_CTX_get_error(store);
  const X509* leaf = X509_STORE_CTX_get0_cert(store);
  const X509* current = X509_STORE_CTX_get_current_cert(store);
  if (current == nullptr) current = leaf;
  const std::string whose = X509_STORE_CTX_get_error_depth(store) > 0
                                ? "its CA " + shown(X509_get_subject_name(current)) + ' '
                                : "";
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return "name is " + name_of(leaf) + ", not " + expected_name(store);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return whose + "expired on " + date_of(X509_get0_notAfter(current)) + by_our_clock();
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return whose + "not valid before " + date_of(X509_get0_notBefore(current)) + by_our_clock();
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "not signed by our CA";
    case X509_V_ERR_CERT_REVOKED:
      return whose + "revoked";
    case X509_V_ERR_INVALID_PURPOSE:
      return SSL_is_server(ssl_of(store)) != 0 ? "not meant for TLS clients"
                                               : "not meant for TLS servers";
    case X509_V_ERR_INVALID_CA:
      return whose.empty() ? "it belongs to a CA, not to a peer" : whose + "is not a CA";
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return whose + "was issued by " + shown(X509_get_issuer_name(current)) +
             ", of which our --crl has no CRL";
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return "our CRL has expired";
    default:
      return X509_verify_cert_error_string(error);
  }
}

// What OpenSSL accepts in the peer's own certificate, and we do not; X509_V_OK: nothing.
// The certificate's key signs the ephemeral key exchange, so key agreement alone is not enough. A
// CA's key must not be on a gateway.
int fault_of_leaf(X509* leaf) {
  if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0) return X509_V_ERR_INVALID_PURPOSE;
  return X509_check_ca(leaf) != 0 ? X509_V_ERR_INVALID_CA : X509_V_OK;
}

// An expired CRL that is in force for --crl-grace. OpenSSL goes on with the check of the list.
bool is_in_grace(X509_STORE_CTX* store) {
  const X509_CRL* crl = X509_STORE_CTX_get0_current_crl(store);
  return X509_STORE_CTX_get_error(store) == X509_V_ERR_CRL_HAS_EXPIRED && crl != nullptr &&
         !is_past(X509_CRL_get0_nextUpdate(crl), SslConnection::of(ssl_of(store)).crl_grace);
}

// Accepts nothing that OpenSSL refused, except a CRL within its grace.
int on_verified(int ok, X509_STORE_CTX* store) {
  if (ok != 1 && is_in_grace(store)) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  if (ok == 1 && X509_STORE_CTX_get_error_depth(store) == 0) {
    const int fault = fault_of_leaf(X509_STORE_CTX_get0_cert(store));
    if (fault != X509_V_OK) X509_STORE_CTX_set_error(store, fault);
    ok = fault == X509_V_OK ? 1 : 0;
  }
  if (ok != 1) {
    SslConnection::of(ssl_of(store)).refusal = {
        Drop::certificate_refused, "certificate of " + name_of(X509_STORE_CTX_get0_cert(store)) +
                                       " refused: " + fault_of(store)};
  }
  return ok;
}

}  // namespace

void require_peer(SSL_CTX* context, const std::string& peer_name) {
  constexpr int max_intermediates = 4;  // between the peer's certificate and a CA of --ca
  SSL_CTX_set_verify_depth(context, max_intermediates);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verified);
  if (peer_name == "*") return;
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(parameters, peer_name.data(), peer_name.size()) != 1) {
    ERR_clear_error();
    throw SystemError("OpenSSL refused the name of --peer-name");
  }
}

}  // namespace routevpn::dtls
