#include "routevpn/pki/certificate.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "routevpn/pki/key.hpp"

namespace routevpn::pki {

namespace {

constexpr int serial_bits = 20 * 8 - 1;

void release_text(char* text) {
  OPENSSL_free(text);
}
using Text = Owned<char, release_text>;
void release_extensions(STACK_OF(X509_EXTENSION) * stack) {
  sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
}
using Extensions = Owned<STACK_OF(X509_EXTENSION), release_extensions>;

AsnTime to_asn1(TimePoint at) {
  return AsnTime(require(ASN1_TIME_set(nullptr, at.time_since_epoch().count()), "set a time"));
}

TimePoint from_asn1(const ASN1_TIME* time) {
  std::tm utc{};
  require(time != nullptr && ASN1_TIME_to_tm(time, &utc) == 1, "read a time");
  return TimePoint{std::chrono::seconds{timegm(&utc)}};
}

AsnInteger to_asn1(const std::string& serial) {
  BIGNUM* parsed = nullptr;
  require(BN_hex2bn(&parsed, serial.c_str()) > 0, "read a serial number");
  const BigNumber number(parsed);
  return AsnInteger(require(BN_to_ASN1_INTEGER(number.get(), nullptr), "set a serial number"));
}

void set_common_name(X509_NAME* subject, const std::string& common_name) {
  X509_NAME_ENTRY* entry =
      X509_NAME_ENTRY_create_by_NID(nullptr, NID_commonName, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()));
  const Owned<X509_NAME_ENTRY, X509_NAME_ENTRY_free> owned(require(entry, "set a subject"));
  require(X509_NAME_add_entry(subject, owned.get(), -1, 0) == 1, "set a subject");
}

Extension make_extension(X509V3_CTX* context, int nid, const std::string& value) {
  return Extension(
      require(X509V3_EXT_conf_nid(nullptr, context, nid, value.c_str()), "make an extension"));
}

using ExtensionText = std::pair<int, std::string>;  // NID and value as in openssl.cnf

void sign_by(X509* issuer, EVP_PKEY* key, X509* certificate,
             std::initializer_list<ExtensionText> extensions) {
  require(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1, "set the issuer");
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const auto& [nid, value] : extensions) {
    const auto extension = make_extension(&context, nid, value);
    require(X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension");
  }
  require(X509_sign(certificate, key, signing_digest(key)) > 0, "sign the certificate");
}

Certificate blank_certificate(EVP_PKEY* subject_key, const std::string& common_name,
                              const std::string& serial, const Validity& validity) {
  Certificate certificate(require(X509_new(), "make a certificate"));
  require(X509_set_version(certificate.get(), X509_VERSION_3) == 1, "set the version");
  require(X509_set_serialNumber(certificate.get(), to_asn1(serial).get()) == 1, "set the serial");
  require(X509_set1_notBefore(certificate.get(), to_asn1(validity.not_before).get()) == 1 &&
              X509_set1_notAfter(certificate.get(), to_asn1(validity.not_after).get()) == 1,
          "set the validity");
  set_common_name(X509_get_subject_name(certificate.get()), common_name);
  require(X509_set_pubkey(certificate.get(), subject_key) == 1, "set the public key");
  return certificate;
}

template <typename Write>
std::string written(const char* what, Write write) {
  const Bio bio(require(BIO_new(BIO_s_mem()), "make a buffer"));
  require(write(bio.get()) == 1, what);
  const char* data = nullptr;
  const auto bytes = BIO_ctrl(bio.get(), BIO_CTRL_INFO, 0, &data);
  return {data, static_cast<std::size_t>(bytes)};
}

template <typename Handle, typename Read>
Handle parse(const std::string& pem, const std::string& path, const std::string& what, Read read) {
  bool encrypted = false;
  Handle handle(read(reader(pem).get(), nullptr, refuse_passphrase, &encrypted));
  if (handle) return handle;
  ERR_clear_error();
  throw UsageError(path + (encrypted ? ": is encrypted; decrypt it with `openssl pkey`"
                                     : ": not " + what + " in PEM form"));
}

std::string hex_of(const ASN1_INTEGER* serial) {
  const BigNumber number(require(ASN1_INTEGER_to_BN(serial, nullptr), "read a serial number"));
  const Text text(require(BN_bn2hex(number.get()), "print a serial number"));
  return text.get();
}

}  // namespace

std::string random_serial() {
  const BigNumber number(require(BN_new(), "make a number"));
  do {
    require(BN_rand(number.get(), serial_bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1,
            "draw a serial number");
  } while (BN_is_zero(number.get()));
  const Text text(require(BN_bn2hex(number.get()), "print a serial number"));
  return text.get();
}

std::string serial_of(const X509* certificate) {
  return hex_of(X509_get0_serialNumber(certificate));
}

Certificate make_authority(EVP_PKEY* key, const std::string& common_name,
                           const Validity& validity) {
  auto certificate = blank_certificate(key, common_name, random_serial(), validity);
  sign_by(certificate.get(), key, certificate.get(),
          {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
           {NID_key_usage, "critical,keyCertSign,cRLSign"},
           {NID_subject_key_identifier, "hash"},
           {NID_authority_key_identifier, "keyid:always"}});
  return certificate;
}

Request make_request(EVP_PKEY* key, const std::string& name) {
  Request request(require(X509_REQ_new(), "make a request"));
  require(X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1, "set the version");
  set_common_name(X509_REQ_get_subject_name(request.get()), name);
  require(X509_REQ_set_pubkey(request.get(), key) == 1, "set the public key");
  const Extensions wanted(require(sk_X509_EXTENSION_new_null(), "make a list"));
  X509V3_CTX context{};
  X509V3_set_ctx(&context, nullptr, nullptr, request.get(), nullptr, 0);
  auto alternative = make_extension(&context, NID_subject_alt_name, "DNS:" + name);
  require(sk_X509_EXTENSION_push(wanted.get(), alternative.get()) > 0, "add to a list");
  static_cast<void>(alternative.release());  // the list owns it
  require(X509_REQ_add_extensions(request.get(), wanted.get()) == 1, "add an extension");
  require(X509_REQ_sign(request.get(), key, signing_digest(key)) > 0, "sign the request");
  return request;
}

Certificate make_certificate(const Issuer& issuer, EVP_PKEY* subject_key, const std::string& name,
                             const std::string& serial, const Validity& validity) {
  auto certificate = blank_certificate(subject_key, name, serial, validity);
  sign_by(issuer.certificate.get(), issuer.key.get(), certificate.get(),
          {{NID_basic_constraints, "critical,CA:FALSE"},
           {NID_key_usage, "critical,digitalSignature"},
           {NID_ext_key_usage, "serverAuth,clientAuth"},
           {NID_subject_alt_name, "DNS:" + name},
           {NID_subject_key_identifier, "hash"},
           {NID_authority_key_identifier, "keyid:always"}});
  return certificate;
}

RevocationList make_revocation_list(const Issuer& issuer, const Index& index, std::uint64_t number,
                                    const Validity& validity) {
  RevocationList list(require(X509_CRL_new(), "make a CRL"));
  X509_CRL* made = list.get();
  X509* ca = issuer.certificate.get();
  require(X509_CRL_set_version(made, X509_CRL_VERSION_2) == 1, "set the version");
  require(X509_CRL_set_issuer_name(made, X509_get_subject_name(ca)) == 1, "set the issuer");
  require(X509_CRL_set1_lastUpdate(made, to_asn1(validity.not_before).get()) == 1 &&
              X509_CRL_set1_nextUpdate(made, to_asn1(validity.not_after).get()) == 1,
          "set the validity");
  for (const auto& entry : index) {
    if (!entry.revoked_at) continue;
    Owned<X509_REVOKED, X509_REVOKED_free> revoked(require(X509_REVOKED_new(), "make an entry"));
    require(
        X509_REVOKED_set_serialNumber(revoked.get(), to_asn1(entry.serial).get()) == 1 &&
            X509_REVOKED_set_revocationDate(revoked.get(), to_asn1(*entry.revoked_at).get()) == 1,
        "fill an entry");
    require(X509_CRL_add0_revoked(made, revoked.get()) == 1, "add an entry");
    static_cast<void>(revoked.release());  // the CRL owns it
  }
  require(X509_CRL_sort(made) == 1, "sort the CRL");
  X509V3_CTX context{};
  X509V3_set_ctx(&context, ca, nullptr, nullptr, made, 0);
  const auto key_id = make_extension(&context, NID_authority_key_identifier, "keyid:always");
  const AsnInteger crl_number(require(ASN1_INTEGER_new(), "make a number"));
  require(X509_CRL_add_ext(made, key_id.get(), -1) == 1 &&
              ASN1_INTEGER_set_uint64(crl_number.get(), number) == 1 &&
              X509_CRL_add1_ext_i2d(made, NID_crl_number, crl_number.get(), 0, 0) == 1,
          "add an extension");
  EVP_PKEY* key = issuer.key.get();
  require(X509_CRL_sign(made, key, signing_digest(key)) > 0, "sign the CRL");
  return list;
}

TimePoint not_before(const X509* certificate) {
  return from_asn1(X509_get0_notBefore(certificate));
}

TimePoint not_after(const X509* certificate) {
  return from_asn1(X509_get0_notAfter(certificate));
}

TimePoint last_update(const X509_CRL* list) {
  return from_asn1(X509_CRL_get0_lastUpdate(list));
}

TimePoint next_update(const X509_CRL* list) {
  return from_asn1(X509_CRL_get0_nextUpdate(list));
}

std::size_t entries_of(X509_CRL* list) {
  const int entries = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list));  // -1: there is no list
  return static_cast<std::size_t>(std::max(entries, 0));
}

std::vector<std::string> revoked_serials(X509_CRL* list) {
  const auto* const entries = X509_CRL_get_REVOKED(list);
  std::vector<std::string> serials;
  serials.reserve(entries_of(list));
  for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
    serials.push_back(hex_of(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i))));
  }
  return serials;
}

std::string key_digest(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  require(X509_pubkey_digest(certificate, EVP_sha256(), digest.data(), &size) == 1,
          "digest a public key");
  std::string text(2UL * size + 1, '\0');  // with a final zero
  require(OPENSSL_buf2hexstr_ex(text.data(), text.size(), nullptr, digest.data(), size, '\0') == 1,
          "print a digest");
  text.pop_back();
  return text;
}

bool is_issuer_of(X509* issuer, X509_CRL* list) {
  const bool is_issuer = X509_CRL_verify(list, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return is_issuer;
}

std::uint64_t number_of(const X509_CRL* list) {
  const AsnInteger encoded(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, nullptr, nullptr)));
  std::uint64_t number = 0;
  if (!encoded || ASN1_INTEGER_get_uint64(&number, encoded.get()) != 1) return 0;
  return number;
}

bool issued(X509* issuer, X509* certificate) {
  const bool signed_by_it = X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return signed_by_it;
}

std::string to_pem(const EVP_PKEY* private_key) {
  return written("write a key", [&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, private_key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string to_pem(X509* certificate) {
  return written("write a certificate",
                 [&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string to_pem(X509_REQ* request) {
  return written("write a request", [&](BIO* bio) { return PEM_write_bio_X509_REQ(bio, request); });
}

std::string to_pem(X509_CRL* list) {
  return written("write a CRL", [&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list); });
}

Key parse_private_key(const std::string& pem, const std::string& path) {
  return parse<Key>(pem, path, "a private key", PEM_read_bio_PrivateKey);
}

Certificate parse_certificate(const std::string& pem, const std::string& path) {
  return parse<Certificate>(pem, path, "a certificate", PEM_read_bio_X509);
}

Request parse_request(const std::string& pem, const std::string& path) {
  return parse<Request>(pem, path, "a certificate request", PEM_read_bio_X509_REQ);
}

RevocationList parse_revocation_list(const std::string& pem, const std::string& path) {
  return parse<RevocationList>(pem, path, "a CRL", PEM_read_bio_X509_CRL);
}

}  // namespace routevpn::pki
