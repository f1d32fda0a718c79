// Replaces aead_ipsec_mb.cpp in builds without libipsec-mb, which exists only for x86-64.
#include "routevpn/base/error.hpp"

#include "backends.hpp"

namespace routevpn::record {

bool ipsec_mb_is_accelerated() {
  return false;
}

std::unique_ptr<Aead> make_ipsec_mb_aead(CipherSuite /*suite*/, ConstBytes /*key*/) {
  throw SystemError("ipsec-mb cannot be used: this routevpn was built without it");
}

}  // namespace routevpn::record
