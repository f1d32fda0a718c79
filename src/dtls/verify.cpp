#include "verify.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "routevpn/base/error.hpp"

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
      return whose + "expired on " + date_of(X509_get0_notAfter(current));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return whose + "not valid before " + date_of(X509_get0_notBefore(current));
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
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return whose + "was issued by " + shown(X509_get_issuer_name(current)) +
             ", of which our --crl has no CRL";
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return "our CRL has expired";
    default:
      return X509_verify_cert_error_string(error);
  }
}

// Never accepts what OpenSSL refused. OpenSSL itself would also accept a certificate that allows
// key agreement only, but the certificate's key signs the ephemeral key exchange.
int on_verified(int ok, X509_STORE_CTX* store) {
  if (ok == 1 && X509_STORE_CTX_get_error_depth(store) == 0 &&
      (X509_get_key_usage(X509_STORE_CTX_get0_cert(store)) & KU_DIGITAL_SIGNATURE) == 0) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_PURPOSE);
    ok = 0;
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
