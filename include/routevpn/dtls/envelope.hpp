// The envelope of handshake datagrams on a link with a PSK. Everything that goes to or comes from
// the handshake travels in it: epoch 0, the Finished of epoch 1, restart hints. So a link with a
// PSK answers nothing that was not sealed with that PSK, and hides certificates.
//
// clang-format off
//      0      1                  17               25                                          N-16   N
//     +------+------------------+----------------+-------------------------------------------+------+
//     | 0x0c |  salt, random    | nonce, random  | encrypted: stamp, 8 bytes; then datagram  | tag  |
//     +------+------------------+----------------+-------------------------------------------+------+
// clang-format on
//
// First byte: RFC 7983 and RFC 9443 give every value of a first byte on a shared UDP port to a
// protocol, except 4 to 15. So no middlebox takes 0x0c for DTLS (20-63), STUN (0-3) or QUIC.
//
// Cipher: ChaCha20-Poly1305 (RFC 8439) with a key for each datagram, and the first byte as
// associated data. The construction is that of XChaCha20-Poly1305, with HKDF-Expand (RFC 5869,
// HMAC-SHA256) in the place of HChaCha20, which OpenSSL does not have:
//
//     key = HKDF-Expand(envelope secret, "routevpn/1 envelope" | sender | lane | salt, 32)
//     nonce = 4 zero bytes | nonce of the datagram
//
// A pair of key and nonce occurs twice only if 192 random bits do: for 2^48 datagrams under a PSK
// the probability is 2^-97. With a 96-bit nonce and no key derivation it is 2^-33 for 2^32
// datagrams; the derivation costs one HMAC, and removes that limit for the life of a PSK.
// `sender` is 'i' or 'a' for initiator or acceptor: a reflected envelope does not authenticate.
// `lane` is a byte: an envelope is of no use at the port of another lane.
//
// Freshness: the stamp is the sender's wall clock in seconds since 1970, big-endian. The receiver
// accepts window_seconds of difference, and each envelope once (ReplayCache). So a copy gets no
// answer, also not from another address. A process that has just started has an empty cache: it may
// answer a copy that is at most window_seconds old, once.
//
// A rejected datagram costs an HMAC and an authentication for each PSK. There is no limit of the
// rate, because strangers could use it up and lock out the peer.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/dtls/handshake.hpp"
#include "routevpn/dtls/psk.hpp"

namespace routevpn::dtls {

inline constexpr std::uint8_t envelope_byte = 0x0c;
inline constexpr std::size_t envelope_salt_bytes = 16;
inline constexpr std::size_t envelope_nonce_bytes = 8;
inline constexpr std::size_t envelope_stamp_bytes = 8;
inline constexpr std::size_t envelope_tag_bytes = 16;
inline constexpr std::size_t envelope_overhead =
    1 + envelope_salt_bytes + envelope_nonce_bytes + envelope_stamp_bytes + envelope_tag_bytes;

inline bool is_envelope(ConstBytes datagram) {
  return !datagram.empty() && datagram[0] == envelope_byte;
}

std::int64_t wall_seconds();  // since 1970

class Envelopes {
 public:
  // As Kerberos (RFC 4120 section 7.5.6). The clocks of gateways must be right for certificates.
  static constexpr std::int64_t window_seconds = 300;
  static constexpr std::size_t largest_datagram = 4096;  // of datapath::HandshakeDatagram

  // `role`: of this end. Throws SystemError.
  Envelopes(Psks keys, Role role, unsigned lane);
  ~Envelopes();
  Envelopes(const Envelopes&) = delete;
  Envelopes& operator=(const Envelopes&) = delete;

  [[nodiscard]] bool in_use() const { return !keys_.empty(); }
  // Seals what this end begins. Null: the link has no PSK.
  [[nodiscard]] PskPtr own_key() const { return keys_.empty() ? nullptr : keys_.front(); }
  void replace_keys(Psks keys) { keys_ = std::move(keys); }

  struct Opened {
    // psk_missing, psk_unexpected, psk_mismatch, psk_stale or psk_replayed.
    std::optional<Drop> fault{};
    ConstBytes datagram{};  // valid until the next call of open()
    PskPtr key{};           // with which to answer
  };
  // On a link without a PSK the datagram itself.
  Opened open(ConstBytes received, std::int64_t now);
  // With a null key the datagram itself. Throws SystemError.
  std::vector<std::uint8_t> seal(const PskPtr& key, std::vector<std::uint8_t> datagram,
                                 std::int64_t now);

 private:
  struct State;
  [[nodiscard]] bool decrypt(const Psk& key, ConstBytes envelope);

  Psks keys_;
  std::uint8_t lane_;
  std::unique_ptr<State> state_;
};

}  // namespace routevpn::dtls
