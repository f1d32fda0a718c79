#include "routevpn/dtls/envelope.hpp"

#include <algorithm>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/time.h>

#include "routevpn/base/secret.hpp"
#include "routevpn/pki/openssl.hpp"

#include "replay_cache.hpp"

namespace routevpn::dtls {

namespace {

using pki::require;

constexpr std::string_view envelope_label = "routevpn/1 envelope";
constexpr std::size_t salt_at = 1;
constexpr std::size_t nonce_at = salt_at + envelope_salt_bytes;
constexpr std::size_t encrypted_at = nonce_at + envelope_nonce_bytes;
constexpr std::size_t key_bytes = 32;
constexpr std::size_t cipher_nonce_bytes = 12;  // RFC 8439

using Mac = Owned<EVP_MAC, EVP_MAC_free>;
using MacContext = Owned<EVP_MAC_CTX, EVP_MAC_CTX_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

MacContext make_hmac_sha256() {
  const Mac mac(require(EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr), "find HMAC"));
  MacContext context(require(EVP_MAC_CTX_new(mac.get()), "make an HMAC"));
  std::string digest("SHA256");
  const std::array parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  require(EVP_MAC_CTX_set_params(context.get(), parameters.data()) == 1, "make an HMAC");
  return context;
}

CipherContext make_cipher() {
  CipherContext context(require(EVP_CIPHER_CTX_new(), "make a cipher"));
  require(
      EVP_CipherInit_ex2(context.get(), EVP_chacha20_poly1305(), nullptr, nullptr, 1, nullptr) == 1,
      "find ChaCha20-Poly1305");
  return context;
}

std::uint8_t letter_of(Role role) {
  return role == Role::initiator ? 'i' : 'a';
}

}  // namespace

std::int64_t wall_seconds() {
  timeval now{};
  gettimeofday(&now, nullptr);
  return now.tv_sec;
}

struct Envelopes::State {
  explicit State(Role role)
      : own(letter_of(role)),
        peer(letter_of(role == Role::initiator ? Role::acceptor : Role::initiator)) {}

  // HKDF-Expand for 32 bytes is a single HMAC (RFC 5869 section 2.3).
  bool set_key(const Psk& psk, std::uint8_t sender, std::uint8_t lane, const std::uint8_t* envelope,
               int encrypting) {
    const auto secret = psk.envelope_secret();
    const std::array<std::uint8_t, 2> context = {sender, lane};
    constexpr std::uint8_t first_block = 1;
    Secret<key_bytes> key;
    std::size_t size = 0;
    std::array<std::uint8_t, cipher_nonce_bytes> nonce{};
    std::copy_n(envelope + nonce_at, envelope_nonce_bytes, nonce.end() - envelope_nonce_bytes);
    return EVP_MAC_init(hmac.get(), secret.data(), secret.size(), nullptr) == 1 &&
           EVP_MAC_update(hmac.get(), reinterpret_cast<const unsigned char*>(envelope_label.data()),
                          envelope_label.size()) == 1 &&
           EVP_MAC_update(hmac.get(), context.data(), context.size()) == 1 &&
           EVP_MAC_update(hmac.get(), envelope + salt_at, envelope_salt_bytes) == 1 &&
           EVP_MAC_update(hmac.get(), &first_block, 1) == 1 &&
           EVP_MAC_final(hmac.get(), key.data(), &size, key.size()) == 1 &&
           EVP_CipherInit_ex2(cipher.get(), nullptr, key.data(), nonce.data(), encrypting,
                              nullptr) == 1;
  }

  // The cipher with the key of the last set_key().
  bool run(const std::uint8_t* from, std::size_t size, std::uint8_t* into) {
    int done = 0;
    return EVP_CipherUpdate(cipher.get(), into, &done, from, static_cast<int>(size)) == 1;
  }

  std::uint8_t own;
  std::uint8_t peer;
  MacContext hmac = make_hmac_sha256();
  CipherContext cipher = make_cipher();
  ReplayCache cache;
  std::array<std::uint8_t, largest_datagram> opened{};  // stamp and datagram
};

Envelopes::Envelopes(Psks keys, Role role, unsigned lane)
    : keys_(std::move(keys)),
      lane_(static_cast<std::uint8_t>(lane)),
      state_(std::make_unique<State>(role)) {}
Envelopes::~Envelopes() = default;

bool Envelopes::decrypt(const Psk& key, ConstBytes envelope) {
  State& state = *state_;
  const std::size_t tag_at = envelope.size() - envelope_tag_bytes;
  std::array<std::uint8_t, envelope_tag_bytes> tag{};
  std::copy_n(envelope.begin() + static_cast<std::ptrdiff_t>(tag_at), tag.size(), tag.begin());
  int ended = 0;
  const bool authentic =
      state.set_key(key, state.peer, lane_, envelope.data(), 0) &&
      EVP_CIPHER_CTX_ctrl(state.cipher.get(), EVP_CTRL_AEAD_SET_TAG, tag.size(), tag.data()) == 1 &&
      state.run(envelope.data(), 1, nullptr) &&
      state.run(envelope.data() + encrypted_at, tag_at - encrypted_at, state.opened.data()) &&
      EVP_CipherFinal_ex(state.cipher.get(), state.opened.data(), &ended) == 1;
  if (!authentic) ERR_clear_error();
  return authentic;
}

Envelopes::Opened Envelopes::open(ConstBytes received, std::int64_t now) {
  if (!in_use()) {
    if (is_envelope(received)) return {Drop::psk_unexpected};
    return {{}, received};
  }
  if (!is_envelope(received)) return {Drop::psk_missing};
  if (received.size() <= envelope_overhead || received.size() > largest_datagram) {
    return {Drop::psk_mismatch};
  }
  const auto key =
      std::ranges::find_if(keys_, [&](const PskPtr& one) { return decrypt(*one, received); });
  if (key == keys_.end()) return {Drop::psk_mismatch};
  const auto stamp = static_cast<std::int64_t>(load_be64(state_->opened.data()));
  if (stamp < now - window_seconds || stamp > now + window_seconds) return {Drop::psk_stale};
  if (!state_->cache.add(load_be64(received.data() + nonce_at), stamp)) {
    return {Drop::psk_replayed};
  }
  const ConstBytes datagram(state_->opened.data() + envelope_stamp_bytes,
                            received.size() - envelope_overhead);
  return {{}, datagram, *key};
}

std::vector<std::uint8_t> Envelopes::seal(const PskPtr& key, std::vector<std::uint8_t> datagram,
                                          std::int64_t now) {
  if (key == nullptr) return datagram;
  State& state = *state_;
  std::vector<std::uint8_t> sealed(envelope_overhead + datagram.size());
  sealed[0] = envelope_byte;
  std::array<std::uint8_t, envelope_stamp_bytes> stamp{};
  store_be64(stamp.data(), static_cast<std::uint64_t>(now));
  std::uint8_t* const encrypted = sealed.data() + encrypted_at;
  std::uint8_t* const tag = encrypted + stamp.size() + datagram.size();
  int ended = 0;
  require(RAND_bytes(sealed.data() + salt_at, envelope_salt_bytes + envelope_nonce_bytes) == 1 &&
              state.set_key(*key, state.own, lane_, sealed.data(), 1) &&
              state.run(sealed.data(), 1, nullptr) &&
              state.run(stamp.data(), stamp.size(), encrypted) &&
              state.run(datagram.data(), datagram.size(), encrypted + stamp.size()) &&
              EVP_CipherFinal_ex(state.cipher.get(), tag, &ended) == 1 &&
              EVP_CIPHER_CTX_ctrl(state.cipher.get(), EVP_CTRL_AEAD_GET_TAG, envelope_tag_bytes,
                                  tag) == 1,
          "seal an envelope");
  return sealed;
}

}  // namespace routevpn::dtls
