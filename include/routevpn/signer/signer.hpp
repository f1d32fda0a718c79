// The holder of the private key: signs what handshakes need, and nothing else. Its requests come
// from the worker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "routevpn/base/clock.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/base/rate_limit.hpp"
#include "routevpn/pki/openssl.hpp"
#include "routevpn/signer/sign_request.hpp"

namespace routevpn::signer {

class Signer {
 public:
  // `rate`: of signatures. Throws UsageError if links do not accept the key or it has no private
  // part, and SystemError.
  Signer(pki::Key private_key, Rate rate);

  // Writes the signature and returns its length. 0: refused, because the key or DTLS does not use
  // this scheme or digest, the length is wrong, there is no room for the longest signature, or the
  // rate is exceeded. Allocates nothing besides what OpenSSL does and frees again.
  std::size_t sign(const SignRequest& request, std::span<std::uint8_t> signature, Time now);

  [[nodiscard]] std::uint64_t rate_refusals() const { return rate_refusals_; }

 private:
  using Context = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
  // One kind of signature of the key, ready for any number of digests.
  struct Prepared {
    SignScheme scheme{};
    SignDigest digest{};
    Context context;  // none: this place is free
  };

  void prepare(SignScheme scheme, SignDigest digest);
  // nullptr: not a kind of this key.
  EVP_PKEY_CTX* context_for(const SignRequest& request);
  bool fits(const SignRequest& request);
  static std::size_t sign_digest(EVP_PKEY_CTX* context, ConstBytes digest,
                                 std::span<std::uint8_t> signature);
  std::size_t sign_message(ConstBytes message, std::span<std::uint8_t> signature);

  pki::Key key_;
  bool ed25519_ = false;
  std::size_t signature_bytes_ = 0;   // of the longest
  std::array<Prepared, 4> prepared_;  // RSA: two schemes, two digests
  Owned<EVP_MD_CTX, EVP_MD_CTX_free> message_context_;
  Rate rate_;
  RateLimit limit_;
  std::uint64_t rate_refusals_ = 0;
};

}  // namespace routevpn::signer
