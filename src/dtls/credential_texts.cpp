#include <openssl/pem.h>

#include "routevpn/base/error.hpp"
#include "routevpn/dtls/credentials.hpp"

namespace routevpn::dtls {

namespace {

using pki::require;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// `write` is PEM_write_bio_X509 or PEM_write_bio_X509_CRL.
template <typename Handle, typename Write>
void add(BIO* bio, const std::vector<Handle>& all, Write write) {
  for (const auto& one : all) require(write(bio, one.get()) == 1, "write PEM");
}

template <typename Handle, typename Write>
std::string pem(const std::vector<Handle>& all, Write write) {
  const pki::Bio bio(require(BIO_new(BIO_s_mem()), "make a buffer"));
  add(bio.get(), all, write);
  return text_of(bio.get());
}

template <typename Handle, typename Read>
std::vector<Handle> parse(const std::string& text, Read read) {
  const auto bio = pki::reader(text);
  std::vector<Handle> found;
  while (Handle one{read(bio.get(), nullptr, nullptr, nullptr)}) found.push_back(std::move(one));
  ERR_clear_error();  // the last one says that there are no more
  return found;
}

}  // namespace

CredentialTexts texts_of(const Credentials& credentials) {
  const pki::Bio bio(require(BIO_new(BIO_s_mem()), "make a buffer"));
  require(PEM_write_bio_X509(bio.get(), credentials.certificate.get()) == 1, "write PEM");
  add(bio.get(), credentials.chain, PEM_write_bio_X509);
  return {text_of(bio.get()), pem(credentials.authorities, PEM_write_bio_X509),
          pem(credentials.revocations, PEM_write_bio_X509_CRL)};
}

Credentials parse_credentials(const CredentialTexts& texts) {
  Credentials parsed;
  parsed.chain = parse<Certificate>(texts.certificates, PEM_read_bio_X509);
  if (parsed.chain.empty()) throw SystemError("there is no certificate");
  parsed.certificate = std::move(parsed.chain.front());
  parsed.chain.erase(parsed.chain.begin());
  parsed.authorities = parse<Certificate>(texts.authorities, PEM_read_bio_X509);
  parsed.revocations = parse<RevocationList>(texts.revocations, PEM_read_bio_X509_CRL);
  return parsed;
}

}  // namespace routevpn::dtls
