#include "context.hpp"

#include <algorithm>
#include <sstream>
#include <string>

#include <openssl/err.h>

#include "routevpn/base/error.hpp"

#include "ssl_connection.hpp"
#include "verify.hpp"

namespace routevpn::dtls {

namespace {

// Fastest first: the initiator's order decides.
const std::string allowed_suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:P-256:P-384";
constexpr const char* signatures =
    "ECDSA+SHA256:ECDSA+SHA384:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA+SHA256:RSA+SHA384";
constexpr int security_level = 2;  // 112 bits: RSA and DH of 2048 bits, no SHA-1

const unsigned char* bytes_of(std::string_view alpn) {
  return reinterpret_cast<const unsigned char*>(alpn.data());
}

int select_protocol(std::string_view ours, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size) {
  unsigned char* found = nullptr;
  const int outcome =
      SSL_select_next_proto(&found, chosen_size, bytes_of(ours),
                            static_cast<unsigned int>(ours.size()), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

// OpenSSL itself would skip unknown names and expand aliases.
std::string checked_suites(const std::string& list) {
  if (list.empty()) return allowed_suites;
  std::istringstream names(list + ':');
  for (std::string name; std::getline(names, name, ':');) {
    if ((':' + allowed_suites + ':').find(':' + name + ':') == std::string::npos) {
      std::string fault = "--ciphers: '" + name + "' is not allowed; allowed are ";
      throw UsageError(fault += allowed_suites);
    }
  }
  return list;
}

// OpenSSL would not check an empty name, and would let ".example" match every name below it.
void check_peer_name(const std::string& name) {
  if (name.empty() || name.front() == '.' || name.find('\0') != std::string::npos) {
    throw UsageError("--peer-name: '" + name +
                     "' is not a name; it must be the peer certificate's subjectAltName DNS name, "
                     "or '*' for any certificate of the CA");
  }
}

// A peer that does not offer our protocol gets no control messages.
int select_alpn(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                const unsigned char* offered, unsigned int offered_size, void*) {
  return select_protocol(control_alpn, chosen, chosen_size, offered, offered_size);
}

// OpenSSL does not call this for a peer that offers no ALPN at all: Handshake checks that.
int select_psk_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  const int outcome = select_protocol(psk_alpn, chosen, chosen_size, offered, offered_size);
  if (outcome == SSL_TLSEXT_ERR_OK) return outcome;
  SslConnection::of(ssl).refusal = {Drop::handshake_failed, std::string(no_psk_alpn)};
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Checked in the ClientHello, because the peer can still read the alert: it is in plaintext.
int require_extended_master_secret(SSL* ssl, int* alert, void*) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_extended_master_secret, &data, &size) == 1) {
    return SSL_CLIENT_HELLO_SUCCESS;
  }
  SslConnection::of(ssl).refusal = {Drop::handshake_failed, std::string(no_extended_master_secret)};
  *alert = SSL_AD_HANDSHAKE_FAILURE;
  return SSL_CLIENT_HELLO_ERROR;
}

// The listener has verified the cookie before OpenSSL sees the ClientHello.
int accept_cookie(SSL*, const unsigned char*, unsigned int) {
  return 1;
}

// In DTLS 1.2 (not in TLS 1.2) OpenSSL's acceptor offers ECDHE-ECDSA only if it has an ECDSA
// certificate; an Ed25519 one does not count. So it gets a placeholder, which it never sends
// because the signature algorithms do not allow its key.
bool enable_ed25519_acceptor(SSL_CTX* context) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const Certificate placeholder(X509_new());
  return key != nullptr && placeholder != nullptr &&
         X509_set_pubkey(placeholder.get(), key.get()) == 1 &&
         X509_sign(placeholder.get(), key.get(), EVP_sha256()) > 0 &&
         SSL_CTX_use_certificate(context, placeholder.get()) == 1 &&
         SSL_CTX_use_PrivateKey(context, key.get()) == 1 &&
         SSL_CTX_set1_sigalgs_list(context, "ed25519") == 1 &&
         SSL_CTX_set1_client_sigalgs_list(context, signatures) == 1;
}

bool install(SSL_CTX* context, Role role, const Credentials& credentials) {
  const bool ed25519 = EVP_PKEY_is_a(credentials.key.get(), "ED25519") == 1;
  bool done = role == Role::initiator || !ed25519 || enable_ed25519_acceptor(context);
  done = done && SSL_CTX_use_certificate(context, credentials.certificate.get()) == 1;
  for (const auto& one : credentials.chain) {
    done = done && SSL_CTX_add1_chain_cert(context, one.get()) == 1;
  }
  done = done && SSL_CTX_use_PrivateKey(context, credentials.key.get()) == 1;

  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const auto& one : credentials.authorities) {
    done = done && X509_STORE_add_cert(store, one.get()) == 1;
  }
  for (const auto& one : credentials.revocations) {
    done = done && X509_STORE_add_crl(store, one.get()) == 1;
  }
  // Of the whole chain: a revoked intermediate CA must not issue certificates any more.
  constexpr unsigned long check = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  if (!credentials.revocations.empty()) done = done && X509_STORE_set_flags(store, check) == 1;
  return done;
}

bool restrict(SSL_CTX* context, const std::string& suites) {
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);  // send no CA: the peer has it
  SSL_CTX_set_security_level(context, security_level);
  return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, suites.c_str()) == 1 &&
         SSL_CTX_set1_groups_list(context, groups) == 1 &&
         SSL_CTX_set1_sigalgs_list(context, signatures) == 1;
}

// Unlike all other calls, SSL_CTX_set_alpn_protos returns 0 for success.
bool set_role(SSL_CTX* context, Role role, bool with_psk) {
  if (role == Role::initiator) {
    const auto alpn = with_psk ? psk_alpn : control_alpn;
    return SSL_CTX_set_alpn_protos(context, bytes_of(alpn),
                                   static_cast<unsigned int>(alpn.size())) == 0;
  }
  SSL_CTX_set_alpn_select_cb(context, with_psk ? select_psk_alpn : select_alpn, nullptr);
  SSL_CTX_set_client_hello_cb(context, require_extended_master_secret, nullptr);
  SSL_CTX_set_cookie_verify_cb(context, accept_cookie);
  return true;
}

}  // namespace

SslContext make_context(Role role, const Credentials& credentials, const IdentityPolicy& policy,
                        bool with_psk) {
  const std::string suites = checked_suites(policy.ciphers);
  check_peer_name(policy.peer_name);
  SslContext context(
      SSL_CTX_new(role == Role::initiator ? DTLS_client_method() : DTLS_server_method()));
  if (context == nullptr || !restrict(context.get(), suites) ||
      !set_role(context.get(), role, with_psk) || !install(context.get(), role, credentials)) {
    throw SystemError("OpenSSL refused the identity: " + failure_from_queue().text);
  }
  require_peer(context.get(), policy.peer_name);
  ERR_clear_error();
  return context;
}

}  // namespace routevpn::dtls
