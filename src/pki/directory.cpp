#include "directory.hpp"

#include <algorithm>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/files.hpp"
#include "routevpn/base/secret.hpp"
#include "routevpn/pki/authority.hpp"
#include "routevpn/pki/key.hpp"

namespace routevpn::pki {

std::string in(const std::string& directory, const std::string& file) {
  return directory == "." ? file : directory + "/" + file;
}

Index load_index(const std::string& directory) {
  const std::string path = in(directory, "ca.index");
  const auto text = exists(path) ? read_file(path, Trust::unaltered) : "";
  if (!text.empty()) return parse_index(text, path);
  throw UsageError(path + (exists(path) ? ": is empty" : ": is missing") +
                   ", and it lists the issued and revoked certificates; restore it from a backup, "
                   "or write the line '#' into it if the CA has issued none");
}

Certificate read_certificate(const std::string& path) {
  return parse_certificate(read_file(path, Trust::unaltered), path);
}

RevocationList load_revocation_list(const std::string& directory) {
  const std::string path = in(directory, "ca.crl");
  if (!exists(path)) return nullptr;
  return parse_revocation_list(read_file(path, Trust::unaltered), path);
}

void require_authority_certificate(const std::string& directory) {
  const std::string path = in(directory, "ca.cert");
  if (!exists(path)) throw UsageError(path + ": no CA here; make one with `routevpn pki ca`");
}

Issuer load_issuer(const std::string& directory, TimePoint at) {
  require_authority_certificate(directory);
  const std::string certificate_path = in(directory, "ca.cert");
  const std::string key_path = in(directory, "ca.key");
  auto certificate = read_certificate(certificate_path);
  const SecretText key(read_file(key_path, Trust::secret));
  Issuer issuer{std::move(certificate), parse_private_key(key.get(), key_path)};
  if (X509_check_private_key(issuer.certificate.get(), issuer.key.get()) != 1) {
    ERR_clear_error();
    throw UsageError(key_path + ": is not the key of " + certificate_path);
  }
  if (X509_check_ca(issuer.certificate.get()) != 1) {
    throw UsageError(certificate_path + ": is not a CA's certificate");
  }
  const auto end = not_after(issuer.certificate.get());
  if (end <= at) throw UsageError(certificate_path + ": expired at " + to_text(end));
  return issuer;
}

Index load_complete_index(const std::string& directory, const Issuer& issuer) {
  auto index = load_index(directory);
  const auto list = load_revocation_list(directory);
  if (list == nullptr || !is_issuer_of(issuer.certificate.get(), list.get())) return index;
  for (const auto& serial : revoked_serials(list.get())) {
    const bool known = std::ranges::any_of(index, [&](const IssuedCertificate& entry) {
      return entry.serial == serial && entry.revoked_at.has_value();
    });
    if (known) continue;
    throw UsageError(in(directory, "ca.index") + ": lacks the revocation of serial " + serial +
                     ", which is in ca.crl; restore the file from a backup");
  }
  return index;
}

Key load_subject_key(const std::string& path) {
  const auto request = parse_request(read_file(path, Trust::unaltered), path);
  Key key(X509_REQ_get_pubkey(request.get()));
  ERR_clear_error();
  if (const auto fault = why_unusable(key.get()); !fault.empty()) {
    throw UsageError(path + ": " + fault);
  }
  if (X509_REQ_verify(request.get(), key.get()) != 1) {
    ERR_clear_error();
    throw UsageError(path +
                     ": the signature does not match the key; the file was damaged or changed");
  }
  return key;
}

std::chrono::seconds drawn_lifetime() {
  constexpr std::chrono::seconds mean = std::chrono::days{certificate_days};
  constexpr std::chrono::seconds spread = certificate_spread;
  std::uint64_t random = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&random), sizeof random) == 1,
          "draw a lifetime");
  const auto choices = static_cast<std::uint64_t>(2 * spread.count() + 1);
  return mean - spread + std::chrono::seconds(static_cast<std::int64_t>(random % choices));
}

std::uint64_t next_number(const X509_CRL* last, TimePoint at) {
  const auto by_clock = static_cast<std::uint64_t>(at.time_since_epoch().count());
  return last == nullptr ? by_clock : std::max(by_clock, number_of(last) + 1);
}

}  // namespace routevpn::pki
