// The two implementations of Aead, one file for each library.
#pragma once

#include "routevpn/record/cipher.hpp"

namespace routevpn::record {

std::unique_ptr<Aead> make_openssl_aead(CipherSuite suite, ConstBytes key);

std::unique_ptr<Aead> make_ipsec_mb_aead(CipherSuite suite, ConstBytes key);
bool ipsec_mb_is_accelerated();

}  // namespace routevpn::record
