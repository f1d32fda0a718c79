#include <openssl/err.h>
#include <openssl/pem.h>

#include "routevpn/base/error.hpp"
#include "routevpn/pki/certificate.hpp"

namespace routevpn::pki {

namespace {

Bio memory() {
  return Bio(require(BIO_new(BIO_s_mem()), "make a buffer"));
}

Bio reading(const std::string& pem) {
  return Bio(require(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), "make a buffer"));
}

std::string content(BIO* bio) {
  const char* data = nullptr;
  const auto bytes = BIO_ctrl(bio, BIO_CTRL_INFO, 0, &data);
  return {data, static_cast<std::size_t>(bytes)};
}

// OpenSSL would ask at the terminal; nobody sits there when a gateway is set up by a script.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

UsageError not_a(const char* what, const std::string& path) {
  ERR_clear_error();
  return UsageError(path + ": not " + what + " in PEM form");
}

}  // namespace

std::string to_pem(const EVP_PKEY* private_key) {
  const auto bio = memory();
  require(PEM_write_bio_PKCS8PrivateKey(bio.get(), private_key, nullptr, nullptr, 0, nullptr,
                                        nullptr) == 1,
          "write a key");
  return content(bio.get());
}

std::string to_pem(X509* certificate) {
  const auto bio = memory();
  require(PEM_write_bio_X509(bio.get(), certificate) == 1, "write a certificate");
  return content(bio.get());
}

std::string to_pem(X509_REQ* request) {
  const auto bio = memory();
  require(PEM_write_bio_X509_REQ(bio.get(), request) == 1, "write a request");
  return content(bio.get());
}

std::string to_pem(X509_CRL* list) {
  const auto bio = memory();
  require(PEM_write_bio_X509_CRL(bio.get(), list) == 1, "write a CRL");
  return content(bio.get());
}

Key parse_private_key(const std::string& pem, const std::string& path) {
  const auto bio = reading(pem);
  bool encrypted = false;
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &encrypted));
  if (encrypted) {
    ERR_clear_error();
    throw UsageError(path + ": is encrypted; decrypt it with `openssl pkey`");
  }
  if (!key) throw not_a("a private key", path);
  return key;
}

Certificate parse_certificate(const std::string& pem, const std::string& path) {
  const auto bio = reading(pem);
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) throw not_a("a certificate", path);
  return certificate;
}

Request parse_request(const std::string& pem, const std::string& path) {
  const auto bio = reading(pem);
  Request request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  if (!request) throw not_a("a certificate request", path);
  return request;
}

RevocationList parse_revocation_list(const std::string& pem, const std::string& path) {
  const auto bio = reading(pem);
  RevocationList list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  if (!list) throw not_a("a CRL", path);
  return list;
}

}  // namespace routevpn::pki
