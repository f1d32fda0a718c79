// The files of a CA's directory as objects, and what all commands do with them.
#pragma once

#include <chrono>
#include <string>

#include "routevpn/pki/certificate.hpp"

namespace routevpn::pki {

// Certificates are valid this long before they are made: gateways' clocks may be behind the CA's.
inline constexpr std::chrono::minutes clock_slack{5};
inline constexpr mode_t secret = 0600;
inline constexpr mode_t open_to_all = 0644;

std::string in(const std::string& directory, const std::string& file);  // a path

Certificate read_certificate(const std::string& path);
// Throws UsageError for a missing or empty ca.index: with it, the revocations are lost.
Index load_index(const std::string& directory);
RevocationList load_revocation_list(const std::string& directory);  // empty if there is no ca.crl
void require_authority_certificate(const std::string& directory);
// The CA, which must not have ended at this time.
Issuer load_issuer(const std::string& directory, TimePoint at);
// The index, which must have every revocation of this CA's ca.crl. Else the next CRL would lose it.
Index load_complete_index(const std::string& directory, const Issuer& issuer);
// The public key of a request. The request's signature proves possession of the private key.
Key load_subject_key(const std::string& path);

// certificate_days, spread.
std::chrono::seconds drawn_lifetime();
// CRL numbers must grow (RFC 5280 section 5.2.3), also after a loss of ca.crl: so a number is the
// time in seconds, or the last number plus one if that is higher.
std::uint64_t next_number(const X509_CRL* last, TimePoint at);

}  // namespace routevpn::pki
