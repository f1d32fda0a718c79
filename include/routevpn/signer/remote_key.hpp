// A private key that is in another process. OpenSSL uses it as any other private key; each
// signature is a call of a function, which asks that process.
//
// Such a key belongs to a provider of OpenSSL in this program, "routevpn". The provider holds the
// public key only. It refuses to export a private key, so OpenSSL cannot move the key to its
// default provider and signs with this one.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "routevpn/pki/openssl.hpp"
#include "routevpn/signer/sign_request.hpp"

namespace routevpn::signer {

// Writes the signature and returns its length; 0: refused. `signature` has room for the longest
// signature of the key. An exception counts as a refusal.
using SignFunction =
    std::function<std::size_t(const SignRequest&, std::span<std::uint8_t> signature)>;

// `public_key` is of a kind that pki::why_unusable() accepts; it may be freed afterwards. The
// function lives as long as the key, of which SSL objects hold references. Signs with SHA-256
// and SHA-384; RSA-PSS with a salt as long as the digest (RFC 8446 section 4.2.3).
//
// The first call loads the provider and OpenSSL's default provider, for the rest of the process. It
// opens no file but OpenSSL's configuration, if OpenSSL has not read that yet.
//
// Throws UsageError for another kind of key, and SystemError.
pki::Key remote_key(const EVP_PKEY* public_key, SignFunction sign);

}  // namespace routevpn::signer
