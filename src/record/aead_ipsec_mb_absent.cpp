// In the place of aead_ipsec_mb.cpp where there is no libipsec-mb to build with: it exists for
// x86-64 alone.
#include "routevpn/base/error.hpp"

#include "backends.hpp"

namespace routevpn::record {

bool ipsec_mb_is_worth_having() {
  return false;
}

std::unique_ptr<Aead> make_ipsec_mb_aead(CipherSuite /*suite*/, ConstBytes /*key*/) {
  throw SystemError("ipsec-mb cannot be used: this routevpn was built without it");
}

}  // namespace routevpn::record
