// The parts of the status that describe credentials.
#pragma once

#include <nlohmann/json.hpp>

#include "routevpn/link/status.hpp"

namespace routevpn::link {

// Keeps the order of insertion, so that two answers can be compared by eye.
using Json = nlohmann::ordered_json;

Json certificate_json(const dtls::CertificateInfo& certificate);
// Our certificate, the CAs, the CRL, and a warning of each that ends soon.
Json credentials_json(const LinkFacts& facts);

}  // namespace routevpn::link
