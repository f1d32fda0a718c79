// A remote key as OpenSSL's functions see it.
#include <string>

#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include "routevpn/pki/certificate.hpp"

#include "catch.hpp"
#include "keys.hpp"

using namespace routevpn;
using namespace routevpn::test;
using signer::SignDigest;
using signer::SignScheme;

namespace {

using MdContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

const std::vector<std::uint8_t> message(300, 0x5a);

enum class Calls : bool { at_once, in_parts };

const EVP_MD* method_of(SignDigest digest) {
  if (digest == SignDigest::none) return nullptr;
  return digest == SignDigest::sha256 ? EVP_sha256() : EVP_sha384();
}

// Signs as libssl does. Empty: refused.
std::vector<std::uint8_t> sign(EVP_PKEY* key, const SignatureKind& kind,
                               Calls calls = Calls::at_once) {
  const MdContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;
  bool good =
      EVP_DigestSignInit(context.get(), &padding, method_of(kind.digest), nullptr, key) == 1;
  if (kind.scheme == SignScheme::rsa_pss) {
    good = good && EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(padding, method_of(kind.digest)) == 1;
  }
  std::size_t size = 0;
  std::vector<std::uint8_t> signature(signer::max_signature_bytes);
  if (calls == Calls::in_parts) {
    good = good && EVP_DigestSignUpdate(context.get(), message.data(), 100) == 1 &&
           EVP_DigestSignUpdate(context.get(), message.data() + 100, message.size() - 100) == 1 &&
           EVP_DigestSignFinal(context.get(), nullptr, &size) == 1 && size <= signature.size() &&
           EVP_DigestSignFinal(context.get(), signature.data(), &size) == 1;
  } else {
    good =
        good &&
        EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1 &&
        size <= signature.size() &&
        EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1;
  }
  signature.resize(good ? size : 0);
  return signature;
}

pki::Certificate certificate_of(EVP_PKEY* key) {
  const auto now = pki::now();
  const auto ca_key = private_key(Kind::p256);
  pki::Issuer issuer{pki::make_authority(ca_key.get(), "CA", {now, now + std::chrono::days(2)}),
                     share(ca_key)};
  return pki::make_certificate(issuer, key, "V1-1", pki::random_serial(),
                               {now, now + std::chrono::days(1)});
}

std::string provider_of(const pki::Key& key) {
  return OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key.get()));
}

// How many functions of OpenSSL return the private key.
int private_parts(const pki::Key& key) {
  EVP_PKEY* raw = key.get();
  int found = 0;
  const auto count = [&found](bool returned) { found += returned ? 1 : 0; };
  for (const char* name : {OSSL_PKEY_PARAM_PRIV_KEY, OSSL_PKEY_PARAM_RSA_D,
                           OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_EXPONENT1}) {
    BIGNUM* number = nullptr;
    count(EVP_PKEY_get_bn_param(raw, name, &number) == 1);
    BN_clear_free(number);
    std::array<unsigned char, 2048> bytes{};
    std::size_t size = 0;
    count(EVP_PKEY_get_octet_string_param(raw, name, bytes.data(), bytes.size(), &size) == 1);
  }
  std::array<unsigned char, 64> bytes{};
  std::size_t size = bytes.size();
  count(EVP_PKEY_get_raw_private_key(raw, bytes.data(), &size) == 1);
  OSSL_PARAM* exported = nullptr;
  count(EVP_PKEY_todata(raw, EVP_PKEY_KEYPAIR, &exported) == 1);
  OSSL_PARAM_free(exported);
  unsigned char* der = nullptr;
  count(i2d_PrivateKey(raw, &der) > 0);
  OPENSSL_free(der);
  const pki::Bio bio(BIO_new(BIO_s_mem()));
  count(PEM_write_bio_PKCS8PrivateKey(bio.get(), raw, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  count(pki::Key(EVP_PKEY_dup(raw)) != nullptr);
  ERR_clear_error();
  return found;
}

}  // namespace

TEST_CASE("a remote key's signatures are valid for OpenSSL's default provider") {
  for (const Kind kind : all_kinds) {
    Remote remote(kind);
    const auto own = private_key(kind);
    for (const auto& signature_kind : signature_kinds(kind)) {
      CAPTURE(static_cast<int>(kind), signature_kind.tls_name);
      for (const Calls calls : {Calls::at_once, Calls::in_parts}) {
        if (calls == Calls::in_parts && kind == Kind::ed25519) continue;  // has no parts
        const auto signature = sign(remote.key.get(), signature_kind, calls);
        REQUIRE_FALSE(signature.empty());
        CHECK(verifies(own, signature_kind, message, signature));
        CHECK(remote.holder->scheme == signature_kind.scheme);
        CHECK(remote.holder->digest == signature_kind.digest);
      }
    }
    // The question for the length makes no request.
    CHECK(remote.holder->requests ==
          signature_kinds(kind).size() * (kind == Kind::ed25519 ? 1 : 2));
    CHECK(ERR_peek_error() == 0);
  }
}

TEST_CASE("a remote key matches its certificate and no other") {
  for (const Kind kind : all_kinds) {
    CAPTURE(static_cast<int>(kind));
    const Remote remote(kind);
    const auto own = private_key(kind);
    const auto fresh =
        pki::Key(kind == Kind::ed25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                       : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    CHECK(X509_check_private_key(certificate_of(own.get()).get(), remote.key.get()) == 1);
    CHECK(X509_check_private_key(certificate_of(fresh.get()).get(), remote.key.get()) == 0);
    ERR_clear_error();
    CHECK(EVP_PKEY_eq(remote.key.get(), own.get()) == 1);
    CHECK(EVP_PKEY_eq(remote.key.get(), Remote(kind).key.get()) == 1);
    CHECK(EVP_PKEY_get_base_id(remote.key.get()) == EVP_PKEY_get_base_id(own.get()));
    CHECK(EVP_PKEY_get_bits(remote.key.get()) == EVP_PKEY_get_bits(own.get()));
    CHECK(EVP_PKEY_get_security_bits(remote.key.get()) == EVP_PKEY_get_security_bits(own.get()));
    CHECK(EVP_PKEY_get_size(remote.key.get()) == EVP_PKEY_get_size(own.get()));
  }
}

TEST_CASE("no function of OpenSSL returns a remote key's private part") {
  for (const Kind kind : all_kinds) {
    CAPTURE(static_cast<int>(kind));
    CHECK(private_parts(private_key(kind)) >= 4);
    CHECK(private_parts(Remote(kind).key) == 0);
  }
}

TEST_CASE("a remote key never moves to OpenSSL's default provider, and other keys stay there") {
  for (const Kind kind : all_kinds) {
    CAPTURE(static_cast<int>(kind));
    Remote remote(kind);
    const auto own = private_key(kind);
    REQUIRE(EVP_PKEY_eq(remote.key.get(), own.get()) == 1);  // exports the public part
    REQUIRE_FALSE(sign(remote.key.get(), signature_kinds(kind).front()).empty());
    CHECK(remote.holder->requests == 1);
    CHECK(provider_of(remote.key) == "routevpn");
    CHECK(provider_of(public_part(own)) == "default");
  }
  CHECK(provider_of(pki::Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"))) == "default");
  const Owned<EVP_SIGNATURE, EVP_SIGNATURE_free> ecdsa(
      EVP_SIGNATURE_fetch(nullptr, "ECDSA", nullptr));
  REQUIRE(ecdsa != nullptr);
  CHECK(std::string(OSSL_PROVIDER_get0_name(EVP_SIGNATURE_get0_provider(ecdsa.get()))) ==
        "default");
}

TEST_CASE("a refusal or an exception of the sign function is an error of OpenSSL") {
  for (const Kind kind : all_kinds) {
    Remote remote(kind);
    const bool throws = GENERATE(false, true);
    remote.holder->refuses = !throws;
    remote.holder->throws = throws;
    CHECK(sign(remote.key.get(), signature_kinds(kind).front()).empty());
    CHECK(remote.holder->requests == 1);
    CHECK(std::string(ERR_reason_error_string(ERR_peek_error())) ==
          "the process that holds the private key refused to sign");
    ERR_clear_error();
  }
}

TEST_CASE("a remote key refuses a digest, a salt or a padding that DTLS does not use") {
  const Remote ec(Kind::p256);
  const Remote rsa(Kind::rsa2048);
  const MdContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha512()}) {
    CHECK(EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, ec.key.get()) != 1);
    EVP_MD_CTX_reset(context.get());
  }
  REQUIRE(EVP_DigestSignInit(context.get(), &padding, EVP_sha256(), nullptr, rsa.key.get()) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_NO_PADDING) != 1);
  REQUIRE(EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 20) != 1);
  CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, 32) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_mgf1_md(padding, EVP_sha384()) != 1);
  const KeyContext bare(EVP_PKEY_CTX_new_from_pkey(nullptr, rsa.key.get(), nullptr));
  CHECK(EVP_PKEY_sign_init(bare.get()) != 1);     // of a digest that libssl did not make
  CHECK(EVP_PKEY_decrypt_init(bare.get()) != 1);  // by RSA
  const KeyContext derive(EVP_PKEY_CTX_new_from_pkey(nullptr, ec.key.get(), nullptr));
  CHECK(EVP_PKEY_derive_init(derive.get()) != 1);
  ERR_clear_error();
}

TEST_CASE("an Ed25519 message longer than a transcript is refused before a request is made") {
  const Remote remote(Kind::ed25519);
  const std::vector<std::uint8_t> longest(signer::max_message_bytes + 1);
  std::array<std::uint8_t, 64> signature{};
  for (const std::size_t surplus : {0U, 1U}) {
    const MdContext context(EVP_MD_CTX_new());
    REQUIRE(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, remote.key.get()) == 1);
    std::size_t size = signature.size();
    const int done = EVP_DigestSign(context.get(), signature.data(), &size, longest.data(),
                                    signer::max_message_bytes + surplus);
    CHECK((done == 1) == (surplus == 0));
  }
  CHECK(remote.holder->requests == 1);
  ERR_clear_error();
}

TEST_CASE("the sign function lives as long as the last reference of the key") {
  for (const Kind kind : all_kinds) {
    auto token = std::make_shared<int>(1);
    const std::weak_ptr<int> alive = token;
    const auto own = private_key(kind);
    pki::Key key = signer::remote_key(
        own.get(),
        [held = std::move(token), &own](const signer::SignRequest& request, auto signature) {
          return signer::Signer(share(own), ample_rate).sign(request, signature, Time());
        });
    const auto digest = signature_kinds(kind).front().digest;
    const MdContext context(EVP_MD_CTX_new());
    REQUIRE(EVP_DigestSignInit(context.get(), nullptr, method_of(digest), nullptr, key.get()) == 1);
    key.reset();  // before the operation
    CHECK_FALSE(alive.expired());
    std::array<std::uint8_t, signer::max_signature_bytes> signature{};
    std::size_t size = signature.size();
    CHECK(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) ==
          1);
    const MdContext copy(EVP_MD_CTX_new());
    REQUIRE(EVP_MD_CTX_copy_ex(copy.get(), context.get()) == 1);
    EVP_MD_CTX_reset(context.get());
    CHECK_FALSE(alive.expired());
    EVP_MD_CTX_reset(copy.get());
    CHECK(alive.expired());
  }
}

TEST_CASE("a key that links do not accept is refused") {
  const pki::Key p521(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-521"));
  CHECK_THROWS_WITH(signer::remote_key(p521.get(), {}),
                    ContainsSubstring("has an ECDSA key of curve secp521r1"));
  CHECK_THROWS_WITH(signer::Signer(share(p521), ample_rate),
                    ContainsSubstring("has an ECDSA key of curve secp521r1"));
}

TEST_CASE("a thousand signatures do not grow the memory") {
  const auto allocated = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  for (const Kind kind : {Kind::p256, Kind::p384, Kind::ed25519, Kind::rsa2048}) {
    CAPTURE(static_cast<int>(kind));
    const Remote remote(kind);
    const auto kind_of_signature = signature_kinds(kind).front();
    for (int i = 0; i < 10; ++i) sign(remote.key.get(), kind_of_signature);  // fills caches
    const auto before = allocated();
    for (int i = 0; i < 1000; ++i) {
      REQUIRE_FALSE(sign(remote.key.get(), kind_of_signature).empty());
    }
    CHECK(allocated() <= before + 4096);
  }
}
