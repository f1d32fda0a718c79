// Makes and signs X.509 objects (RFC 5280), and converts them to and from PEM. Uses no files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

// Self-signed; pathlen 0: it may sign certificates and CRLs, but no other CA.
Certificate make_authority(EVP_PKEY* key, const std::string& common_name, const Validity& validity);
// Requests CN=name and subjectAltName DNS:name.
Request make_request(EVP_PKEY* key, const std::string& name);
// For both roles of a link: serverAuth and clientAuth.
Certificate make_certificate(const Issuer& issuer, EVP_PKEY* subject_key, const std::string& name,
                             const std::string& serial, const Validity& validity);
// Lists all revoked certificates of the index.
RevocationList make_revocation_list(const Issuer& issuer, const Index& index, std::uint64_t number,
                                    const Validity& validity);

TimePoint not_before(const X509* certificate);
TimePoint not_after(const X509* certificate);
std::string serial_of(const X509* certificate);  // in the form of the index
TimePoint last_update(const X509_CRL* list);
TimePoint next_update(const X509_CRL* list);
std::size_t entries_of(X509_CRL* list);
std::vector<std::string> revoked_serials(X509_CRL* list);  // in the form of the index
// Whether the key of this certificate signed the list.
bool is_issuer_of(X509* issuer, X509_CRL* list);
// The CRL number (RFC 5280 section 5.2.3), or 0.
std::uint64_t number_of(const X509_CRL* list);
// SHA-256 of the public key, in upper-case hex: the same for all certificates of one CA.
inline constexpr std::size_t key_digest_characters = 64;
std::string key_digest(const X509* certificate);
// Whether the issuer's key signed the certificate.
bool issued(X509* issuer, X509* certificate);

std::string to_pem(const EVP_PKEY* private_key);  // PKCS #8, not encrypted
std::string to_pem(X509* certificate);
std::string to_pem(X509_REQ* request);
std::string to_pem(X509_CRL* list);

// Throw UsageError "PATH: ..." if the text does not hold such an object.
Key parse_private_key(const std::string& pem, const std::string& path);
Certificate parse_certificate(const std::string& pem, const std::string& path);
Request parse_request(const std::string& pem, const std::string& path);
RevocationList parse_revocation_list(const std::string& pem, const std::string& path);

}  // namespace routevpn::pki
