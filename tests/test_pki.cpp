#include "test_pki.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

namespace routevpn::test {

namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owned<X509, X509_free>;

constexpr long day_seconds = 24L * 60 * 60;

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("test CA: ") + what);
}

Key curve_key(const char* name) {
  return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", name));
}

template <std::size_t bits>
Key rsa_key() {
  static const Key made(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
  must(made != nullptr && EVP_PKEY_up_ref(made.get()) == 1, "RSA key");
  return Key(made.get());
}

Key make_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::p256:
      return curve_key("P-256");
    case KeyKind::p384:
      return curve_key("P-384");
    case KeyKind::p521:
      return curve_key("P-521");
    case KeyKind::ed25519:
      return Key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    case KeyKind::rsa2048:
      return rsa_key<2048>();
    case KeyKind::rsa1024:
      return rsa_key<1024>();
    case KeyKind::p192:
      return curve_key("P-192");
    case KeyKind::p224:
      return curve_key("P-224");
    case KeyKind::secp256k1:
      return curve_key("secp256k1");
  }
  return nullptr;
}

const EVP_MD* digest_for(const EVP_PKEY* key) {
  return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
}

template <typename Write>
std::string pem(Write write) {
  const Owned<BIO, BIO_free> bio(BIO_new(BIO_s_mem()));
  must(write(bio.get()) == 1, "PEM");
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION, X509_EXTENSION_free> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

Certificate blank(const std::string& name, EVP_PKEY* key, long serial, int begins, int ends) {
  Certificate certificate(X509_new());
  X509* x509 = certificate.get();
  must(X509_set_version(x509, X509_VERSION_3) == 1, "version");
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), begins * day_seconds);
  X509_gmtime_adj(X509_getm_notAfter(x509), ends * day_seconds);
  X509_set_pubkey(x509, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

TestCa::TestCa(const std::string& name, KeyKind key, int ends_in_days) : key_(make_key(key)) {
  certificate_ = blank(name, key_.get(), 1, -2, ends_in_days);
  certify(certificate_.get(), key_.get());
}

TestCa::TestCa(const std::string& name, TestCa& issuer) : key_(make_key(KeyKind::p256)) {
  certificate_ = blank(name, key_.get(), issuer.next_serial_++, -2, 3650);
  certify(issuer.certificate_.get(), issuer.key_.get());
}

void TestCa::certify(X509* issuer, EVP_PKEY* issuer_key) {
  X509* x509 = certificate_.get();
  X509_set_issuer_name(x509, X509_get_subject_name(issuer));
  extend(x509, issuer, NID_basic_constraints, "critical,CA:TRUE");
  extend(x509, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(x509, issuer, NID_subject_key_identifier, "hash");
  must(X509_sign(x509, issuer_key, digest_for(issuer_key)) > 0, "signature");
  certificate_pem_ = pem_of(x509);
}

long TestCa::serial() const {
  return ASN1_INTEGER_get(X509_get0_serialNumber(certificate_.get()));
}

Issued TestCa::issue(const LeafOptions& options) {
  const Key key = make_key(options.key);
  const long serial = next_serial_++;
  const Certificate leaf =
      blank(options.name, key.get(), serial, options.begins_in_days, options.ends_in_days);
  X509* x509 = leaf.get();
  if (options.malformed_end) {
    must(ASN1_STRING_set(X509_getm_notAfter(x509), "271301000000Z", -1) == 1, "date");
  }
  X509* issuer = options.self_signed ? x509 : certificate_.get();
  EVP_PKEY* signer = options.self_signed ? key.get() : key_.get();
  X509_set_issuer_name(x509, X509_get_subject_name(issuer));
  extend(x509, issuer, NID_subject_alt_name,
         options.alternative_names == "=" ? "DNS:" + options.name : options.alternative_names);
  extend(x509, issuer, NID_key_usage, options.key_usage);
  extend(x509, issuer, NID_ext_key_usage, options.extended_key_usage);
  extend(x509, issuer, NID_basic_constraints, options.basic_constraints);
  if (!options.self_signed) extend(x509, issuer, NID_authority_key_identifier, "keyid");
  must(X509_sign(x509, signer, options.sha1 ? EVP_sha1() : digest_for(signer)) > 0, "signature");
  return {pem_of(x509), pem([&](BIO* bio) {
            return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr,
                                                 nullptr);
          }),
          serial};
}

std::string TestCa::revoke(const std::vector<long>& serials, int ends_in_days) const {
  const Owned<X509_CRL, X509_CRL_free> crl(X509_CRL_new());
  must(X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1, "CRL version");
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(certificate_.get()));
  const Owned<ASN1_TIME, ASN1_TIME_free> begin(X509_gmtime_adj(nullptr, -60 * day_seconds));
  const Owned<ASN1_TIME, ASN1_TIME_free> end(X509_gmtime_adj(nullptr, ends_in_days * day_seconds));
  X509_CRL_set1_lastUpdate(crl.get(), begin.get());
  X509_CRL_set1_nextUpdate(crl.get(), end.get());
  for (const long serial : serials) {
    X509_REVOKED* revoked = X509_REVOKED_new();
    const Owned<ASN1_INTEGER, ASN1_INTEGER_free> number(ASN1_INTEGER_new());
    ASN1_INTEGER_set(number.get(), serial);
    X509_REVOKED_set_serialNumber(revoked, number.get());
    X509_REVOKED_set_revocationDate(revoked, begin.get());
    must(X509_CRL_add0_revoked(crl.get(), revoked) == 1, "revocation");
  }
  must(X509_CRL_sign(crl.get(), key_.get(), digest_for(key_.get())) > 0, "CRL signature");
  return pem([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, crl.get()); });
}

std::string encrypted(const std::string& key_pem, const std::string& passphrase) {
  const Owned<BIO, BIO_free> bio(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  return pem([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, key.get(), EVP_aes_256_cbc(), passphrase.data(),
                                         static_cast<int>(passphrase.size()), nullptr, nullptr);
  });
}

TempDir::TempDir() {
  std::string name = "/tmp/routevpn-test-XXXXXX";
  must(mkdtemp(name.data()) != nullptr, "mkdtemp");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::write(const std::string& name, const std::string& text, unsigned mode) const {
  std::string path = path_ + '/' + name;
  std::ofstream(path) << text;
  must(chmod(path.c_str(), mode) == 0, "chmod");
  return path;
}

dtls::IdentityFiles write_files(const TempDir& dir, const std::string& name, const Issued& issued,
                                const std::string& ca, const std::string& crl) {
  return {dir.write(name + ".cert", issued.certificate), dir.write(name + ".key", issued.key),
          dir.write("ca.cert", ca), crl.empty() ? std::string() : dir.write("ca.crl", crl)};
}

std::shared_ptr<const dtls::Identity> make_identity(const Issued& issued, const std::string& ca,
                                                    const std::string& peer_name,
                                                    const std::string& ciphers,
                                                    const std::string& crl,
                                                    const std::vector<std::string>& psks) {
  const TempDir dir;
  auto files = write_files(dir, "own", issued, ca, crl);
  for (const auto& psk : psks) {
    const auto number = files.psk.size();
    files.psk.push_back(dir.write(std::to_string(number) + ".psk", psk));
  }
  return dtls::Identity::load(files, {peer_name, ciphers});
}

std::string psk_line(std::uint8_t byte) {
  std::array<unsigned char, 32> key{};
  key.fill(byte);
  std::array<unsigned char, 45> line{};
  EVP_EncodeBlock(line.data(), key.data(), key.size());
  std::string text(line.begin(), line.end());
  text.back() = '\n';  // in place of its 0
  return text;
}

}  // namespace routevpn::test
