#include "routevpn/signer/signer.hpp"

#include <utility>

#include <openssl/rsa.h>

#include "routevpn/base/error.hpp"
#include "routevpn/pki/key.hpp"

namespace routevpn::signer {

namespace {

// The digests of the signature algorithms that dtls/context.cpp allows.
constexpr std::array<SignDigest, 2> digests = {SignDigest::sha256, SignDigest::sha384};

const EVP_MD* method_of(SignDigest digest) {
  return digest == SignDigest::sha256 ? EVP_sha256() : EVP_sha384();
}

}  // namespace

Signer::Signer(pki::Key private_key, Rate rate) : key_(std::move(private_key)), rate_(rate) {
  if (const auto fault = pki::why_unusable(key_.get()); !fault.empty()) {
    throw UsageError("the private key " + fault);
  }
  ed25519_ = EVP_PKEY_is_a(key_.get(), "ED25519") == 1;
  signature_bytes_ = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
  const bool rsa = EVP_PKEY_is_a(key_.get(), "RSA") == 1;
  if (ed25519_) {
    message_context_.reset(pki::require(EVP_MD_CTX_new(), "prepare signatures"));
  } else {
    for (const SignDigest digest : digests) {
      prepare(rsa ? SignScheme::rsa_pkcs1 : SignScheme::ecdsa, digest);
      if (rsa) prepare(SignScheme::rsa_pss, digest);
    }
  }
  // A signature of zeros proves that the key has a private part; OpenSSL has no function for that.
  std::array<std::uint8_t, max_signature_bytes> signature{};
  const std::array<std::uint8_t, digest_bytes(SignDigest::sha256)> zeros{};
  const std::size_t size = ed25519_
                               ? sign_message(zeros, signature)
                               : sign_digest(prepared_.front().context.get(), zeros, signature);
  if (size == 0) throw UsageError("the private key cannot sign: it has no private part");
}

void Signer::prepare(SignScheme scheme, SignDigest digest) {
  Context context(
      pki::require(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr), "prepare signatures"));
  EVP_PKEY_CTX* raw = context.get();
  bool done =
      EVP_PKEY_sign_init(raw) == 1 && EVP_PKEY_CTX_set_signature_md(raw, method_of(digest)) == 1;
  if (scheme == SignScheme::rsa_pkcs1) {
    done = done && EVP_PKEY_CTX_set_rsa_padding(raw, RSA_PKCS1_PADDING) == 1;
  } else if (scheme == SignScheme::rsa_pss) {
    done = done && EVP_PKEY_CTX_set_rsa_padding(raw, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(raw, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  pki::require(done, "prepare signatures");
  for (Prepared& free : prepared_) {
    if (free.context != nullptr) continue;
    free = {scheme, digest, std::move(context)};
    return;
  }
}

EVP_PKEY_CTX* Signer::context_for(const SignRequest& request) {
  for (const Prepared& one : prepared_) {
    if (one.context == nullptr) break;
    if (one.scheme == request.scheme && one.digest == request.digest) return one.context.get();
  }
  return nullptr;
}

bool Signer::fits(const SignRequest& request) {
  if (ed25519_) {
    return request.scheme == SignScheme::ed25519 && request.digest == SignDigest::none &&
           request.bytes.size() <= max_message_bytes;
  }
  return context_for(request) != nullptr && request.bytes.size() == digest_bytes(request.digest);
}

std::size_t Signer::sign(const SignRequest& request, std::span<std::uint8_t> signature, Time now) {
  if (!fits(request) || signature.size() < signature_bytes_) return 0;
  if (!limit_.admit(now, rate_)) {
    ++rate_refusals_;
    return 0;
  }
  return ed25519_ ? sign_message(request.bytes, signature)
                  : sign_digest(context_for(request), request.bytes, signature);
}

std::size_t Signer::sign_digest(EVP_PKEY_CTX* context, ConstBytes digest,
                                std::span<std::uint8_t> signature) {
  std::size_t size = signature.size();
  if (EVP_PKEY_sign(context, signature.data(), &size, digest.data(), digest.size()) == 1) {
    return size;
  }
  ERR_clear_error();
  return 0;
}

std::size_t Signer::sign_message(ConstBytes message, std::span<std::uint8_t> signature) {
  std::size_t size = signature.size();
  EVP_MD_CTX* context = message_context_.get();
  if (EVP_DigestSignInit(context, nullptr, nullptr, nullptr, key_.get()) == 1 &&
      EVP_DigestSign(context, signature.data(), &size, message.data(), message.size()) == 1) {
    return size;
  }
  ERR_clear_error();
  return 0;
}

}  // namespace routevpn::signer
