// Handshakes of DTLS 1.2 in which one end's private key is remote.
#include <string>

#include <openssl/ssl.h>
#include <sys/socket.h>

#include "routevpn/pki/certificate.hpp"
#include "routevpn/pki/key.hpp"

#include "catch.hpp"
#include "keys.hpp"

using namespace routevpn;
using namespace routevpn::test;

namespace {

using SslContext = Owned<SSL_CTX, SSL_CTX_free>;
using Ssl = Owned<SSL, SSL_free>;

enum class Role : bool { initiator, acceptor };

constexpr const char* all_signatures =
    "ECDSA+SHA256:ECDSA+SHA384:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA+SHA256:RSA+SHA384";

struct Ca {
  // OpenSSL's clock is up to one tick behind.
  pki::TimePoint now = pki::now() - std::chrono::minutes(1);
  pki::Issuer issuer;

  Ca() {
    issuer.key = private_key(Kind::p256);
    issuer.certificate =
        pki::make_authority(issuer.key.get(), "CA", {now, now + std::chrono::days(2)});
  }
  [[nodiscard]] pki::Certificate issue(EVP_PKEY* key, const char* name) const {
    return pki::make_certificate(issuer, key, name, pki::random_serial(),
                                 {now, now + std::chrono::days(1)});
  }
};

// An acceptor of DTLS 1.2 offers ECDHE-ECDSA only with an ECDSA certificate (dtls/context.cpp).
void enable_ed25519_acceptor(SSL_CTX* context) {
  const auto key = pki::generate_key(pki::Algorithm::p256);
  const pki::Certificate placeholder(X509_new());
  REQUIRE(X509_set_pubkey(placeholder.get(), key.get()) == 1);
  REQUIRE(X509_sign(placeholder.get(), key.get(), EVP_sha256()) > 0);
  REQUIRE(SSL_CTX_use_certificate(context, placeholder.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(context, key.get()) == 1);
}

SslContext make_context(Role role, const Ca& ca, const pki::Certificate& certificate,
                        EVP_PKEY* key) {
  SslContext made(
      SSL_CTX_new(role == Role::initiator ? DTLS_client_method() : DTLS_server_method()));
  SSL_CTX* context = made.get();
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_security_level(context, 2);
  REQUIRE(SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1);
  REQUIRE(SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1);
  REQUIRE(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM") == 1);
  REQUIRE(SSL_CTX_set1_sigalgs_list(context, all_signatures) == 1);
  if (role == Role::acceptor && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
    enable_ed25519_acceptor(context);
    REQUIRE(SSL_CTX_set1_sigalgs_list(context, "ed25519") == 1);
    REQUIRE(SSL_CTX_set1_client_sigalgs_list(context, all_signatures) == 1);
  }
  REQUIRE(SSL_CTX_use_certificate(context, certificate.get()) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey(context, key) == 1);
  REQUIRE(SSL_CTX_check_private_key(context) == 1);
  REQUIRE(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.issuer.certificate.get()) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return made;
}

struct End {
  Ssl ssl;
  int error = SSL_ERROR_WANT_READ;
  std::string reason;  // the oldest error of OpenSSL

  void step() {
    if (error != SSL_ERROR_WANT_READ) return;
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl.get());
    error = SSL_get_error(ssl.get(), result);
    if (const auto first = ERR_peek_error(); first != 0) reason = ERR_reason_error_string(first);
    ERR_clear_error();
  }
};

// Two ends of a socket pair, which keeps datagrams apart.
struct Pair {
  End remote;  // its key is remote
  End peer;
  Fd first;
  Fd second;

  Pair(Role role, EVP_PKEY* key, const Ca& ca, const char* signature) {
    const auto peer_key = private_key(Kind::p256);
    auto context = make_context(role, ca, ca.issue(key, "V1-1"), key);
    const Role other = role == Role::initiator ? Role::acceptor : Role::initiator;
    auto peer_context = make_context(other, ca, ca.issue(peer_key.get(), "V1-2"), peer_key.get());
    // What the peer accepts. Its own signatures are not limited by it.
    if (other == Role::initiator) {
      REQUIRE(SSL_CTX_set1_sigalgs_list(peer_context.get(), signature) == 1);
    }
    REQUIRE(SSL_CTX_set1_client_sigalgs_list(
                peer_context.get(), other == Role::initiator ? all_signatures : signature) == 1);
    std::array<int, 2> fds{};
    REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) == 0);
    first = Fd(fds[0]);
    second = Fd(fds[1]);
    remote.ssl = connect(role, context.get(), first);
    peer.ssl = connect(other, peer_context.get(), second);
  }

  static Ssl connect(Role role, SSL_CTX* context, const Fd& socket) {
    Ssl ssl(SSL_new(context));
    REQUIRE(SSL_set_mtu(ssl.get(), 1400) == 1400);
    BIO* bio = BIO_new_socket(socket.get(), BIO_NOCLOSE);
    SSL_set_bio(ssl.get(), bio, bio);
    role == Role::initiator ? SSL_set_connect_state(ssl.get()) : SSL_set_accept_state(ssl.get());
    return ssl;
  }

  // Nothing is lost between the ends, so a handshake takes few turns.
  void run() {
    for (int turn = 0; turn < 20; ++turn) {
      remote.step();
      peer.step();
    }
  }
};

}  // namespace

TEST_CASE("a handshake with a remote key completes in both roles") {
  const Ca ca;
  for (const Kind kind : all_kinds) {
    for (const Role role : {Role::initiator, Role::acceptor}) {
      for (const auto& signature : signature_kinds(kind)) {
        CAPTURE(static_cast<int>(kind), role == Role::initiator, signature.tls_name);
        const Remote remote(kind);
        Pair pair(role, remote.key.get(), ca, signature.tls_name);
        pair.run();
        CHECK(pair.remote.reason.empty());
        CHECK(pair.peer.reason.empty());
        REQUIRE(pair.remote.error == SSL_ERROR_NONE);
        REQUIRE(pair.peer.error == SSL_ERROR_NONE);
        CHECK(SSL_get_verify_result(pair.peer.ssl.get()) == X509_V_OK);
        CHECK(remote.holder->requests == 1);
        CHECK(remote.holder->scheme == signature.scheme);
        CHECK(remote.holder->digest == signature.digest);
      }
    }
  }
}

TEST_CASE("a refused signature ends the handshake of both ends with an error") {
  const Ca ca;
  for (const Kind kind : all_kinds) {
    for (const Role role : {Role::initiator, Role::acceptor}) {
      CAPTURE(static_cast<int>(kind), role == Role::initiator);
      const Remote remote(kind);
      remote.holder->refuses = true;
      Pair pair(role, remote.key.get(), ca, signature_kinds(kind).front().tls_name);
      pair.run();
      CHECK(remote.holder->requests == 1);
      CHECK(pair.remote.error == SSL_ERROR_SSL);
      CHECK(pair.remote.reason == "the process that holds the private key refused to sign");
      CHECK(pair.peer.error == SSL_ERROR_SSL);  // the alert
    }
  }
}

TEST_CASE("a signature of another key is refused by the peer") {
  const Ca ca;
  const auto other = pki::generate_key(pki::Algorithm::p256);
  signer::Signer wrong(share(other), ample_rate);
  const auto key = signer::remote_key(private_key(Kind::p256).get(),
                                      [&](const signer::SignRequest& request, auto signature) {
                                        return wrong.sign(request, signature, Time());
                                      });
  for (const Role role : {Role::initiator, Role::acceptor}) {
    Pair pair(role, key.get(), ca, "ECDSA+SHA256");
    pair.run();
    CHECK(pair.peer.error == SSL_ERROR_SSL);
    CHECK(pair.remote.error == SSL_ERROR_SSL);
  }
}

TEST_CASE("SSL objects keep a remote key alive after it was freed") {
  const Ca ca;
  Remote remote(Kind::p256);
  const std::weak_ptr<Remote::Holder> holder = remote.holder;
  {
    Pair pair(Role::acceptor, remote.key.get(), ca, "ECDSA+SHA256");
    remote.key.reset();
    remote.holder.reset();
    CHECK_FALSE(holder.expired());
    pair.run();
    CHECK(pair.remote.error == SSL_ERROR_NONE);
  }
  CHECK(holder.expired());
}
