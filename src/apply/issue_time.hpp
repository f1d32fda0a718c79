// When a credential was issued, which tells the newer one of two.
#pragma once

#include <optional>
#include <string>

#include "routevpn/pki/time.hpp"

namespace routevpn::apply {

// The begin of a certificate (.cert), or the last update of a CRL (.crl). None for other files, and
// for content that cannot be read.
std::optional<pki::TimePoint> issue_time(const std::string& path, const std::string& content);

}  // namespace routevpn::apply
