// AEAD by OpenSSL's EVP. The key is set once. A packet costs the IV, three updates and the
// parameter with the tag, which is built once: EVP_CIPHER_CTX_ctrl() would build it at every call.
#include <array>
#include <string>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "routevpn/base/error.hpp"
#include "routevpn/base/owned.hpp"

#include "backends.hpp"

namespace routevpn::record {

namespace {

using Cipher = Owned<EVP_CIPHER, EVP_CIPHER_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;  // wipes the key schedule

const char* evp_name(CipherSuite suite) {
  if (suite == CipherSuite::chacha20_poly1305) return "ChaCha20-Poly1305";
  return suite == CipherSuite::aes_256_gcm ? "AES-256-GCM" : "AES-128-GCM";
}

SystemError openssl_error(CipherSuite suite) {
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  ERR_clear_error();
  return SystemError(std::string("OpenSSL cannot set up ") + evp_name(suite) + ": " +
                     reason.data());
}

// A context with the key, for encryption or decryption.
CipherContext keyed(CipherSuite suite, const EVP_CIPHER* cipher, ConstBytes key, bool encrypt) {
  CipherContext context(EVP_CIPHER_CTX_new());
  if (!context || EVP_CipherInit_ex2(context.get(), cipher, key.data(), nullptr, encrypt ? 1 : 0,
                                     nullptr) != 1) {
    throw openssl_error(suite);
  }
  return context;
}

class OpensslAead final : public Aead {
 public:
  OpensslAead(CipherContext sealing, CipherContext opening)
      : sealing_(std::move(sealing)), opening_(std::move(opening)) {}

  bool seal(const std::uint8_t* nonce, ConstBytes additional, Bytes data,
            std::uint8_t* tag) override {
    int written = 0;
    tag_[0].data = tag;
    return transform(sealing_, nonce, additional, data, nullptr) &&
           EVP_EncryptFinal_ex(sealing_.get(), tag, &written) == 1 &&
           EVP_CIPHER_CTX_get_params(sealing_.get(), tag_.data()) == 1;
  }

  // EVP_DecryptFinal_ex() compares the tags in constant time.
  bool open(const std::uint8_t* nonce, ConstBytes additional, Bytes data,
            const std::uint8_t* tag) override {
    std::array<std::uint8_t, tag_bytes> none_left{};
    int written = 0;
    tag_[0].data = const_cast<std::uint8_t*>(tag);  // only read
    if (!transform(opening_, nonce, additional, data, tag_.data())) return false;
    if (EVP_DecryptFinal_ex(opening_.get(), none_left.data(), &written) == 1) return true;
    // XOR with the same keystream restores the input.
    transform(sealing_, nonce, additional, data, nullptr);
    return false;
  }

 private:
  // Encrypts or decrypts in place, as the context was keyed for, without the tag.
  static bool transform(const CipherContext& context, const std::uint8_t* nonce,
                        ConstBytes additional, Bytes data, const OSSL_PARAM* parameters) {
    int written = 0;
    return EVP_CipherInit_ex2(context.get(), nullptr, nullptr, nonce, -1, parameters) == 1 &&
           EVP_CipherUpdate(context.get(), nullptr, &written, additional.data(),
                            static_cast<int>(additional.size())) == 1 &&
           EVP_CipherUpdate(context.get(), data.data(), &written, data.data(),
                            static_cast<int>(data.size())) == 1;
  }

  CipherContext sealing_;
  CipherContext opening_;
  std::array<OSSL_PARAM, 2> tag_ = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, nullptr, tag_bytes),
      OSSL_PARAM_construct_end()};
};

}  // namespace

std::unique_ptr<Aead> make_openssl_aead(CipherSuite suite, ConstBytes key) {
  const Cipher cipher(EVP_CIPHER_fetch(nullptr, evp_name(suite), nullptr));
  if (!cipher) throw openssl_error(suite);
  return std::make_unique<OpensslAead>(keyed(suite, cipher.get(), key, true),
                                       keyed(suite, cipher.get(), key, false));
}

}  // namespace routevpn::record
