// The credentials of an identity: read from files and checked, or from their texts.
#pragma once

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

// Throws UsageErrors, see Identity::load.
Credentials load_credentials(const IdentityFiles& files);

// All but the keys, as PEM. The certificate is before its chain.
struct CredentialTexts {
  std::string certificates;
  std::string authorities;
  std::string revocations;  // empty: none
};
CredentialTexts texts_of(const Credentials& credentials);
// The reverse, without a check of dates and signatures and without the keys. Throws SystemError.
Credentials parse_credentials(const CredentialTexts& texts);

}  // namespace routevpn::dtls
