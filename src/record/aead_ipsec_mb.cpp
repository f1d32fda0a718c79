// AES-GCM by libipsec-mb (Intel, BSD licence), one buffer at a time. Round keys and hash keys are
// expanded once per key.
#include <array>
#include <string>

#include <openssl/crypto.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"
#include "routevpn/record/locked_memory.hpp"

#include "backends.hpp"

// Included last. Without NO_COMPAT_IMB_API_053 its old names clash with OpenSSL's.
#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>

namespace routevpn::record {

namespace {

// The functions for this processor. They keep no state in the library's manager, 200 KiB of job
// queues, so load() frees it.
struct Gcm {
  aes_gcm_pre_t expand_key;
  aes_gcm_enc_dec_t encrypt;
  aes_gcm_enc_dec_t decrypt;
};
struct Library {
  std::string fault;  // empty when the library works
  bool accelerated = false;
  Gcm aes_128{};
  Gcm aes_256{};
};

Library load() {
  const Owned<IMB_MGR, free_mb_mgr> manager(alloc_mb_mgr(0));
  if (!manager) return {"no memory"};
  IMB_ARCH arch = IMB_ARCH_NONE;
  init_mb_mgr_auto(manager.get(), &arch);
  const int error = imb_get_errno(manager.get());
  if (error != 0 || arch == IMB_ARCH_NONE) return {imb_get_strerror(error)};
  const IMB_MGR& chosen = *manager;
  const bool accelerated = (chosen.features & IMB_FEATURE_VAES) != 0 ||
                           (chosen.features & IMB_FEATURE_AVX512_SKX) == IMB_FEATURE_AVX512_SKX;
  return {{},
          accelerated,
          {chosen.gcm128_pre, chosen.gcm128_enc, chosen.gcm128_dec},
          {chosen.gcm256_pre, chosen.gcm256_enc, chosen.gcm256_dec}};
}

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

class IpsecMbAead final : public Aead, public InLockedMemory {
 public:
  IpsecMbAead(const Gcm& gcm, ConstBytes key) : gcm_(gcm) { gcm_.expand_key(key.data(), &key_); }
  ~IpsecMbAead() override {
    OPENSSL_cleanse(&key_, sizeof key_);
    OPENSSL_cleanse(&scratch_, sizeof scratch_);
  }

  bool seal(const std::uint8_t* nonce, ConstBytes additional, Bytes data,
            std::uint8_t* tag) override {
    gcm_.encrypt(&key_, &scratch_, data.data(), data.data(), data.size(), nonce, additional.data(),
                 additional.size(), tag, tag_bytes);
    return true;
  }

  bool open(const std::uint8_t* nonce, ConstBytes additional, Bytes data,
            const std::uint8_t* tag) override {
    std::array<std::uint8_t, tag_bytes> expected;
    gcm_.decrypt(&key_, &scratch_, data.data(), data.data(), data.size(), nonce, additional.data(),
                 additional.size(), expected.data(), expected.size());
    if (CRYPTO_memcmp(expected.data(), tag, tag_bytes) == 0) return true;
    // XOR with the same keystream restores the input.
    gcm_.encrypt(&key_, &scratch_, data.data(), data.data(), data.size(), nonce, nullptr, 0,
                 expected.data(), expected.size());
    return false;
  }

 private:
  Gcm gcm_;
  // Version 1.3 reads both with aligned loads, but its header does not align the types.
  alignas(64) gcm_key_data key_{};
  alignas(64) gcm_context_data scratch_{};
};

}  // namespace

bool ipsec_mb_is_accelerated() {
  return library().accelerated;
}

std::unique_ptr<Aead> make_ipsec_mb_aead(CipherSuite suite, ConstBytes key) {
  if (suite == CipherSuite::chacha20_poly1305) {
    throw SystemError("ipsec-mb cannot set up ChaCha20-Poly1305: it is used for AES-GCM only");
  }
  if (!library().fault.empty()) {
    throw SystemError("ipsec-mb cannot be used on this processor: " + library().fault);
  }
  return std::make_unique<IpsecMbAead>(
      suite == CipherSuite::aes_128_gcm ? library().aes_128 : library().aes_256, key);
}

}  // namespace routevpn::record
