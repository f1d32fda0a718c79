// An identity: our certificate and key, the trusted CAs, the CRL, and the name the peer must have.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "routevpn/base/owned.hpp"
#include "routevpn/dtls/psk.hpp"

namespace routevpn::dtls {

using SslContext = Owned<SSL_CTX, SSL_CTX_free>;

struct IdentityFiles {
  std::string certificate;            // PEM, may hold the chain
  std::string key;                    // PEM, readable by its owner alone
  std::string ca;                     // PEM, one or more
  std::string crl;                    // PEM, empty: none
  std::vector<std::string> psk = {};  // each with one PSK; the first is used; empty: none
};

struct IdentityPolicy {
  std::string peer_name;           // a subjectAltName DNS name, or with none the CN; "*": any
  std::string ciphers;             // OpenSSL names, ':' between; empty: the default list
  std::chrono::days crl_grace{0};  // an expired CRL stays in force for this time
};

// What `routevpn show` prints of a certificate.
struct CertificateInfo {
  std::string name;     // first DNS subjectAltName, else CN; cut to max_shown_name characters
  std::string subject;  // RFC 2253; cut in the same way
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
  std::string fingerprint;  // SHA-256, lower case hex
};
CertificateInfo describe(const X509* certificate);

// When the CRL was issued, and when a new one must have come.
struct RevocationDates {
  std::chrono::system_clock::time_point last_update;
  std::chrono::system_clock::time_point next_update;
};

struct Credentials;

class Identity {
 public:
  // Throws UsageErrors with one line for each wrong file, which names the file and the fault:
  // missing, unreadable, owner or mode not trusted (base/trust.hpp), not PEM, key that does not
  // match, certificate not yet valid or expired, no CA that is valid now, a CRL that is not the
  // CA's or whose grace is over, a CA without a CRL when --crl is given, a PSK file without a PSK.
  // Then UsageError for an unknown cipher or a wrong name.
  static std::shared_ptr<const Identity> load(const IdentityFiles& files,
                                              const IdentityPolicy& policy);
  // Throws UsageError for an unknown cipher or a wrong name, SystemError when OpenSSL refuses.
  static std::shared_ptr<const Identity> make(const Credentials& credentials,
                                              const IdentityPolicy& policy);

  [[nodiscard]] SSL_CTX* initiator() const { return initiator_.get(); }
  [[nodiscard]] SSL_CTX* acceptor() const { return acceptor_.get(); }
  [[nodiscard]] const CertificateInfo& certificate() const { return certificate_; }
  [[nodiscard]] const std::vector<CertificateInfo>& authorities() const { return authorities_; }
  [[nodiscard]] const Psks& psks() const { return psks_; }
  [[nodiscard]] std::chrono::days crl_grace() const { return crl_grace_; }
  // Of the CRL that ends first; none without a CRL that ends.
  [[nodiscard]] const std::optional<RevocationDates>& revocation_dates() const {
    return revocation_dates_;
  }

 private:
  Identity() = default;
  void add_dates(const X509_CRL* crl);

  SslContext initiator_;
  SslContext acceptor_;
  CertificateInfo certificate_;
  std::vector<CertificateInfo> authorities_;
  std::chrono::days crl_grace_{0};
  Psks psks_;
  std::optional<RevocationDates> revocation_dates_;
};

}  // namespace routevpn::dtls
