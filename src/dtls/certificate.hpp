// Fields of certificates as text.
#pragma once

#include <chrono>
#include <string>

#include <openssl/x509.h>

namespace routevpn::dtls {

// Names for people: printable ASCII, cut to max_shown_name characters. Never compare them.
// First DNS subjectAltName, else CN, else "(no name)"; bytes outside printable ASCII become '?'.
std::string name_of(const X509* certificate);
std::string shown(const X509_NAME* name);           // RFC 2253
std::string digest_of(const X509_NAME* name);       // SHA-256 of the DER form, lower case hex
std::string date_of(const ASN1_TIME* time);         // 2026-01-02, UTC
std::string serial_of(const ASN1_INTEGER* serial);  // as CertificateInfo has it
std::chrono::system_clock::time_point time_point_of(const ASN1_TIME* time);

}  // namespace routevpn::dtls
