#include "credentials.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/pki/key.hpp"

#include "certificate.hpp"

namespace routevpn::dtls {

namespace {

// An option and its file, with which error texts begin.
struct Source {
  std::string_view option;
  const std::string& path;

  [[nodiscard]] UsageError error(const std::string& fault) const {
    return UsageError(std::string(option) + ' ' + path + ": " + fault);
  }
};

// The content of a file, wiped by the destructor.
struct Text {
  std::string bytes;
  Text() = default;
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  ~Text() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

// Opens the file once, so that the checked mode is that of the file that is read.
void read_file(const Source& source, bool secret, Text& into) {
  const Fd file(open(source.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // no wait at a pipe
  const auto unreadable = [&] {
    return source.error(std::string("cannot be read: ") + std::strerror(errno));
  };
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) throw unreadable();
  if (!S_ISREG(status.st_mode)) throw source.error("not a regular file");
  if (secret && (status.st_mode & 077) != 0) {
    throw source.error("must be readable by its owner alone (chmod 600 " + source.path + ')');
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_file_bytes) throw source.error("larger than 1 MiB");
  into.bytes.resize(size);
  if (!routevpn::read_all(file, into.bytes)) throw unreadable();
}

// All objects of one kind in a PEM file; `next` reads one.
template <typename Handle, typename Next>
std::vector<Handle> read_objects(const Source& source, std::string_view kind, Next next) {
  Text text;
  read_file(source, false, text);
  const auto bio = pki::reader(text.bytes);
  std::vector<Handle> found;
  ERR_clear_error();
  while (Handle one{next(bio.get(), nullptr, nullptr, nullptr)}) found.push_back(std::move(one));
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  const std::string begin = "-----BEGIN " + std::string(kind) + "-----";
  if (found.empty() && ended) throw source.error("not PEM: it must hold " + begin);
  if (!ended) throw source.error("damaged after " + begin);
  return found;
}

std::vector<Certificate> read_certificates(const Source& source) {
  return read_objects<Certificate>(source, "CERTIFICATE", PEM_read_bio_X509);
}

Key read_key(const Source& source) {
  Text text;
  read_file(source, true, text);
  const auto bio = pki::reader(text.bytes);
  bool encrypted = false;
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, pki::refuse_passphrase, &encrypted));
  ERR_clear_error();
  if (encrypted) {
    throw source.error("encrypted keys are not supported (openssl pkey -in " + source.path +
                       " decrypts it)");
  }
  if (key == nullptr) throw source.error("not PEM: it must hold -----BEGIN PRIVATE KEY-----");
  return key;
}

void check_certificate(const Source& source, const X509* certificate) {
  if (const auto fault = pki::why_unusable(X509_get0_pubkey(certificate)); !fault.empty()) {
    throw source.error(fault);
  }
  const ASN1_TIME* begin = X509_get0_notBefore(certificate);
  const ASN1_TIME* end = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(begin) > 0) throw source.error("not valid before " + date_of(begin));
  if (X509_cmp_current_time(end) < 0) throw source.error("expired on " + date_of(end));
}

// Only certificates that may sign others are trusted; all others in the file are ignored.
std::vector<Certificate> read_authorities(const Source& source) {
  auto found = read_certificates(source);
  std::erase_if(found, [](const Certificate& one) { return X509_check_ca(one.get()) == 0; });
  if (found.empty()) {
    throw source.error("holds no CA certificate (basicConstraints must say CA:TRUE)");
  }
  return found;
}

bool is_signed_by(X509_CRL* crl, const X509* authority) {
  const bool ours =
      X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(authority)) == 0 &&
      X509_CRL_verify(crl, X509_get0_pubkey(authority)) == 1;
  ERR_clear_error();
  return ours;
}

std::vector<RevocationList> read_revocations(const Source& source,
                                             const std::vector<Certificate>& authorities) {
  auto found = read_objects<RevocationList>(source, "X509 CRL", PEM_read_bio_X509_CRL);
  for (const auto& crl : found) {
    if (std::none_of(authorities.begin(), authorities.end(), [&](const Certificate& authority) {
          return is_signed_by(crl.get(), authority.get());
        })) {
      throw source.error("not signed by a CA of --ca: its issuer is " +
                         subject_of(X509_CRL_get_issuer(crl.get())));
    }
    const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl.get());
    if (next != nullptr && X509_cmp_current_time(next) < 0) {
      throw source.error("expired on " + date_of(next) + ": the CA must issue a new one");
    }
  }
  return found;
}

}  // namespace

Credentials load_credentials(const IdentityFiles& files) {
  Credentials loaded;
  const Source certificate_file{"--cert", files.certificate};
  loaded.chain = read_certificates(certificate_file);
  loaded.certificate = std::move(loaded.chain.front());
  loaded.chain.erase(loaded.chain.begin());
  check_certificate(certificate_file, loaded.certificate.get());

  const Source key_file{"--key", files.key};
  loaded.key = read_key(key_file);
  if (X509_check_private_key(loaded.certificate.get(), loaded.key.get()) != 1) {
    ERR_clear_error();
    throw key_file.error("not the key of the certificate " + files.certificate);
  }

  loaded.authorities = read_authorities({"--ca", files.ca});
  if (!files.crl.empty()) {
    loaded.revocations = read_revocations({"--crl", files.crl}, loaded.authorities);
  }
  return loaded;
}

}  // namespace routevpn::dtls
