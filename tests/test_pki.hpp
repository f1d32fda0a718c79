// A private CA in memory for tests, which issues valid and faulty certificates.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/dtls/identity.hpp"

namespace routevpn::test {

// RSA keys are made once in a process, because that takes long.
enum class KeyKind { p256, p384, p521, ed25519, rsa2048, rsa1024, p192, p224, secp256k1 };

struct LeafOptions {
  std::string name = {};  // CN
  KeyKind key = KeyKind::p256;
  std::string alternative_names = "=";  // as in openssl.cnf; "=": DNS:name; empty: none
  std::string extended_key_usage = {};  // serverAuth,clientAuth; empty: none
  std::string key_usage = "critical,digitalSignature";  // empty: none
  int begins_in_days = -1;
  int ends_in_days = 365;
  bool malformed_end = false;          // notAfter is not a date
  std::string basic_constraints = {};  // empty: none
  bool self_signed = false;
  bool sha1 = false;  // the signature's digest
};

struct Issued {
  std::string certificate;  // PEM
  std::string key;          // PEM
  long serial = 0;
};

class TestCa {
 public:
  explicit TestCa(const std::string& name = "Test CA", KeyKind key = KeyKind::p256,
                  int ends_in_days = 3650);

  // An intermediate CA, issued by `issuer`.
  TestCa(const std::string& name, TestCa& issuer);

  Issued issue(const LeafOptions& options);
  [[nodiscard]] const std::string& certificate() const { return certificate_pem_; }
  [[nodiscard]] long serial() const;
  // A CRL of these serials.
  std::string revoke(const std::vector<long>& serials, int ends_in_days = 30) const;

 private:
  void certify(X509* issuer, EVP_PKEY* issuer_key);

  Owned<EVP_PKEY, EVP_PKEY_free> key_;
  Owned<X509, X509_free> certificate_;
  std::string certificate_pem_;
  long next_serial_ = 2;
};

// The same key, encrypted.
std::string encrypted(const std::string& key_pem, const std::string& passphrase);

// A temporary directory under /tmp, removed with its content.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  // Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& text, unsigned mode = 0600) const;

 private:
  std::string path_;
};

// Writes NAME.cert, NAME.key, ca.cert and, if not empty, ca.crl.
dtls::IdentityFiles write_files(const TempDir& dir, const std::string& name, const Issued& issued,
                                const std::string& ca, const std::string& crl = "");

// Writes the files and loads the identity. `psks`: the content of each PSK file.
std::shared_ptr<const dtls::Identity> make_identity(const Issued& issued, const std::string& ca,
                                                    const std::string& peer_name,
                                                    const std::string& ciphers = "",
                                                    const std::string& crl = "",
                                                    const std::vector<std::string>& psks = {});

// The content of a PSK file: 32 times this byte, in base64.
std::string psk_line(std::uint8_t byte);

}  // namespace routevpn::test
