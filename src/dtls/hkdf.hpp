// HKDF with SHA-256, RFC 5869.
#pragma once

#include <string_view>

#include "routevpn/base/bytes.hpp"

namespace routevpn::dtls {

// Extract and expand. An empty salt means 32 zero bytes. Throws SystemError.
void hkdf_sha256(ConstBytes salt, ConstBytes key, std::string_view info, Bytes out);

}  // namespace routevpn::dtls
