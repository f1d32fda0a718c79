// The X.509 objects themselves (RFC 5280): made, signed, and turned to and from PEM. No files here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "routevpn/pki/index.hpp"
#include "routevpn/pki/openssl.hpp"
#include "routevpn/pki/time.hpp"

namespace routevpn::pki {

struct Validity {
  TimePoint not_before;
  TimePoint not_after;
};

struct Issuer {
  Certificate certificate;
  Key key;
};

// 159 random bits: 20 octets without a sign bit (RFC 5280 section 4.1.2.2). Upper-case hex.
std::string random_serial();

// Self-signed, pathlen 0: it signs gateways' certificates and CRLs, and no further CA.
Certificate make_authority(EVP_PKEY* key, const std::string& common_name, const Validity& validity);
// CN and subjectAltName DNS:name are asked for.
Request make_request(EVP_PKEY* key, const std::string& name);
// For both roles of a link: serverAuth and clientAuth.
Certificate make_certificate(const Issuer& issuer, EVP_PKEY* subject_key, const std::string& name,
                             const std::string& serial, const Validity& validity);
// All of the index that is revoked.
RevocationList make_revocation_list(const Issuer& issuer, const Index& index, std::uint64_t number,
                                    const Validity& validity);

TimePoint not_after(const X509* certificate);
std::string serial_of(const X509* certificate);  // as the index has it
// Its CRL number (RFC 5280 section 5.2.3); 0 when it has none.
std::uint64_t number_of(const X509_CRL* list);

std::string to_pem(const EVP_PKEY* private_key);  // PKCS #8, not encrypted
std::string to_pem(X509* certificate);
std::string to_pem(X509_REQ* request);
std::string to_pem(X509_CRL* list);

// Throw UsageError "PATH: ..." when the text is not what it should be.
Key parse_private_key(const std::string& pem, const std::string& path);
Certificate parse_certificate(const std::string& pem, const std::string& path);
Request parse_request(const std::string& pem, const std::string& path);
RevocationList parse_revocation_list(const std::string& pem, const std::string& path);

}  // namespace routevpn::pki
