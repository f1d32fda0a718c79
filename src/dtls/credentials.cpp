#include "routevpn/dtls/credentials.hpp"

#include <algorithm>
#include <string_view>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/secret.hpp"
#include "routevpn/pki/key.hpp"

#include "certificate.hpp"

namespace routevpn::dtls {

namespace {

// An option and its file, with which error texts begin.
struct Source {
  std::string_view option;
  const std::string& path;

  [[nodiscard]] UsageError error(const std::string& fault, Exit status = Exit::usage) const {
    return UsageError(std::string(option) + ' ' + path + ": " + fault, status);
  }
  // For a fault that ends with time, or when another program renews the file.
  [[nodiscard]] UsageError passing(const std::string& fault) const {
    return error(fault, Exit::failed);
  }
};

// The content of a file that no other user may change or, with Trust::secret, read.
SecretText read(const Source& source, Trust trust) {
  try {
    return SecretText(routevpn::read_file(source.path, trust));
  } catch (const UsageError& error) {
    throw UsageError(std::string(source.option) + ' ' + error.what());
  }
}

// All objects of one kind in a PEM file; `next` reads one.
template <typename Handle, typename Next>
std::vector<Handle> read_objects(const Source& source, std::string_view kind, Next next) {
  const SecretText text = read(source, Trust::unaltered);
  const auto bio = pki::reader(text.get());
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
  const SecretText text = read(source, Trust::secret);
  const auto bio = pki::reader(text.get());
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

// Whether the time has passed. Throws UsageError if it is malformed.
bool has_passed(const Source& source, const ASN1_TIME* time) {
  const int comparison = X509_cmp_current_time(time);
  if (comparison == 0) throw source.error("holds a malformed date");
  return comparison < 0;
}

// Empty: the certificate is valid now. Throws UsageError for a malformed date.
std::string fault_of_dates(const Source& source, const X509* certificate) {
  const ASN1_TIME* begin = X509_get0_notBefore(certificate);
  const ASN1_TIME* end = X509_get0_notAfter(certificate);
  if (!has_passed(source, begin)) return "not valid before " + date_of(begin);
  return has_passed(source, end) ? "expired on " + date_of(end) : "";
}

void check_certificate(const Source& source, const X509* certificate) {
  if (const auto fault = pki::why_unusable(X509_get0_pubkey(certificate)); !fault.empty()) {
    throw source.error(fault);
  }
  const auto fault = fault_of_dates(source, certificate);
  if (!fault.empty()) throw source.passing(fault);
}

// A bundle may hold a CA that has ended, or one that begins later, beside the one in use.
void require_valid_authority(const Source& source, const std::vector<Certificate>& authorities) {
  std::string fault;
  for (const auto& authority : authorities) {
    fault = fault_of_dates(source, authority.get());
    if (fault.empty()) return;
  }
  throw source.passing("the CA " + shown(X509_get_subject_name(authorities.back().get())) +
                       (fault.starts_with("not") ? " is " : " ") + fault);
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

void check_revocation_list(const Source& source, X509_CRL* crl,
                           const std::vector<Certificate>& authorities, const CrlRule& rule) {
  if (std::ranges::none_of(authorities, [&](const Certificate& authority) {
        return is_signed_by(crl, authority.get());
      })) {
    throw source.error("not signed by a CA of --ca: its issuer is " +
                       shown(X509_CRL_get_issuer(crl)));
  }
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl);
  if (next == nullptr || !has_passed(source, next) || !rule.refuse) return;
  if (!is_past(next, rule.grace)) return;
  const std::string grace =
      rule.grace.count() > 0
          ? ", more than --crl-grace (" + std::to_string(rule.grace.count()) + " days) ago"
          : "";
  throw source.passing("expired on " + date_of(next) + grace + ": the CA must issue a new one");
}

// Every certificate of a peer's chain is checked, so a CA without a CRL could not accept any peer.
// A CA that has expired needs none.
void require_list_of_each(const Source& source, const std::vector<RevocationList>& lists,
                          const std::vector<Certificate>& authorities) {
  for (const auto& authority : authorities) {
    if (X509_cmp_current_time(X509_get0_notAfter(authority.get())) < 0) continue;
    if (std::ranges::none_of(lists, [&](const RevocationList& list) {
          return is_signed_by(list.get(), authority.get());
        })) {
      throw source.error("has no CRL of the CA " + shown(X509_get_subject_name(authority.get())) +
                         "; it must hold one of each CA of --ca");
    }
  }
}

std::vector<RevocationList> read_revocations(const Source& source,
                                             const std::vector<Certificate>& authorities,
                                             const CrlRule& rule) {
  auto found = read_objects<RevocationList>(source, "X509 CRL", PEM_read_bio_X509_CRL);
  if (authorities.empty()) return found;  // --ca has a fault of its own
  for (const auto& crl : found) check_revocation_list(source, crl.get(), authorities, rule);
  require_list_of_each(source, found, authorities);
  return found;
}

}  // namespace

PskPtr load_psk(const std::string& path) {
  const Source source{"--psk", path};
  const SecretText text = read(source, Trust::secret);
  Secret<Psk::bytes> key;
  if (!pki::decode_psk(text.get(), key)) {
    throw source.error("must hold one line with 32 bytes in base64 (routevpn pki psk makes it)");
  }
  return Psk::make(key);
}

Credentials load_credentials(const IdentityFiles& files, const CrlRule& rule) {
  Credentials loaded;
  std::vector<std::string> faults;
  Exit status = Exit::failed;
  const auto collect = [&faults, &status](auto step) {
    try {
      step();
    } catch (const UsageError& error) {
      faults.emplace_back(error.what());
      if (error.status == Exit::usage) status = Exit::usage;
    }
  };
  collect([&] {
    const Source source{"--cert", files.certificate};
    loaded.chain = read_certificates(source);
    loaded.certificate = std::move(loaded.chain.front());
    loaded.chain.erase(loaded.chain.begin());
    check_certificate(source, loaded.certificate.get());
  });
  collect([&] {
    const Source source{"--key", files.key};
    loaded.key = read_key(source);
    if (loaded.certificate == nullptr) return;  // --cert has a fault of its own
    if (X509_check_private_key(loaded.certificate.get(), loaded.key.get()) == 1) return;
    ERR_clear_error();
    throw source.error("not the key of the certificate " + files.certificate);
  });
  collect([&] {
    const Source source{"--ca", files.ca};
    loaded.authorities = read_authorities(source);
    require_valid_authority(source, loaded.authorities);
  });
  if (!files.crl.empty()) {
    collect([&] {
      loaded.revocations = read_revocations({"--crl", files.crl}, loaded.authorities, rule);
    });
  }
  for (const auto& path : files.psk) {
    collect([&] { loaded.psks.push_back(load_psk(path)); });
  }
  if (!faults.empty()) throw UsageErrors(std::move(faults), status);
  return loaded;
}

}  // namespace routevpn::dtls
