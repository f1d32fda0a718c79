#include "routevpn/pki/openssl.hpp"

#include <string>

#include <openssl/err.h>

#include "routevpn/base/error.hpp"

namespace routevpn::pki {

void require(bool succeeded, std::string_view what) {
  if (succeeded) return;
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  throw SystemError("OpenSSL cannot " + std::string(what) + ": " +
                    (reason != nullptr ? reason : "no reason given"));
}

}  // namespace routevpn::pki
