// Seals packets of a batch in place: record header, explicit nonce, ciphertext, tag.
//
//     | header, 13 | explicit nonce, 8 (AES-GCM only) | ciphertext, as long as the packet | tag, 16
//     |
//
// Why no nonce comes twice under one key:
//   1. A sequence number is taken before the cipher is called, and never given back, also when the
//      cipher fails. It only grows, and ends with the limit or at 2^48, before it could wrap.
//   2. The nonce is one-to-one in the sequence number: a fixed IV beside (AES-GCM: base + number,
//      modulo 2^64) or xor (ChaCha20) the number.
//   3. The handshake's own records under this key counted the same way, below first_sequence.
//   4. A Sealer can be moved, not copied. One pair of key and range of numbers makes one Sealer:
//      that is its maker's part.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "routevpn/base/outbound_packet.hpp"
#include "routevpn/record/cipher.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::record {

class Sealer {
 public:
  // Sequence numbers start at `first_sequence`. A record's explicit nonce (GCM) is
  // `explicit_nonce_base` + its sequence number, modulo 2^64: the handshake's own records continue
  // the same count, so that no nonce can come twice. Records from `limit` on are refused; limit is
  // a number of records, at most traits(suite).record_limit (a higher one counts as that). Throws
  // SystemError as make_aead() does.
  Sealer(CryptoBackend backend, CipherSuite suite, const DirectionKeys& keys,
         std::uint64_t first_sequence, std::uint64_t explicit_nonce_base, std::uint64_t limit);

  // Seals as many of the packets as the limit allows, in order, and gives their number. Each is at
  // most max_plaintext_bytes long and has headroom(suite) bytes before and `tailroom` after it.
  // Epoch 1, DTLS 1.2. Should the library fail, the rest is refused as if the limit were reached.
  std::size_t seal(std::span<const OutboundPacket> packets,
                   ContentType type = ContentType::application_data);

  [[nodiscard]] CipherSuite suite() const { return suite_; }
  [[nodiscard]] std::uint64_t sealed() const { return next_ - first_; }
  // How many more it would seal.
  [[nodiscard]] std::uint64_t remaining() const { return end_ - next_; }
  [[nodiscard]] std::uint64_t next_sequence() const { return next_; }

 private:
  bool seal_one(const OutboundPacket& packet, ContentType type);

  std::unique_ptr<Aead> aead_;
  CipherSuite suite_;
  std::size_t explicit_nonce_bytes_;
  DirectionKeys keys_;
  std::uint64_t first_;
  std::uint64_t next_;
  std::uint64_t end_;  // the first sequence number that is refused
  std::uint64_t explicit_nonce_base_;
};

}  // namespace routevpn::record
