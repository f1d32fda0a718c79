// The credentials of an identity: read from files and checked, or from their texts.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "routevpn/dtls/identity.hpp"
#include "routevpn/pki/openssl.hpp"

namespace routevpn::dtls {

using pki::Certificate, pki::Key, pki::RevocationList;

struct Credentials {
  Certificate certificate;
  std::vector<Certificate> chain;  // between our certificate and the CA
  Key key;
  std::vector<Certificate> authorities;
  std::vector<RevocationList> revocations;
  Psks psks;
};

// The file holds one line: 32 bytes in base64, as `routevpn pki psk` writes them. Throws UsageError
// naming --psk, the file and the fault: unreadable, owner or mode not trusted (base/trust.hpp), not
// such a line.
PskPtr load_psk(const std::string& path);

// What is done with a CRL that has expired.
struct CrlRule {
  std::chrono::days grace{0};  // it is accepted for this time
  bool refuse = true;          // after that; false: accept it, and every handshake refuses its peer
};

// Throws UsageErrors, see Identity::load.
Credentials load_credentials(const IdentityFiles& files, const CrlRule& rule = {});
// For a link: also throws UsageError for credentials that no handshake with the peer can use. Our
// certificate must be issued by a CA of --ca, because the peer has the same, and --peer-name must
// not be our own name. `refuse_ended_crl`: CrlRule::refuse.
Credentials load_for_link(const IdentityFiles& files, const IdentityPolicy& policy,
                          bool refuse_ended_crl);

// All but the keys, as PEM. The certificate is before its chain.
struct CredentialTexts {
  std::string certificates;
  std::string authorities;
  std::string revocations;  // empty: none
  bool operator==(const CredentialTexts&) const = default;
};
CredentialTexts texts_of(const Credentials& credentials);
// The reverse, without a check of dates and signatures and without the keys. Throws SystemError.
Credentials parse_credentials(const CredentialTexts& texts);

}  // namespace routevpn::dtls
