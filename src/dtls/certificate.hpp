// Fields of certificates as text.
#pragma once

#include <chrono>
#include <string>

#include <openssl/x509.h>

namespace routevpn::dtls {

// Names for people: printable ASCII, cut to max_shown_name characters. Never compare them.
// First DNS subjectAltName, else CN, else "(no name)"; bytes outside printable ASCII become '?'.
std::string name_of(const X509* certificate);
std::string shown(const X509_NAME* name);    // RFC 2253
std::string date_of(const ASN1_TIME* time);  // 2026-01-02, UTC
std::chrono::system_clock::time_point time_point_of(const ASN1_TIME* time);

// Whether `time` lies more than `grace` before now. Also for a malformed time.
bool is_past(const ASN1_TIME* time, std::chrono::seconds grace);

}  // namespace routevpn::dtls
