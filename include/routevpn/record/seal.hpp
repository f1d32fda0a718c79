// Seals packets of a batch in place: record header, explicit nonce, ciphertext, tag.
//
//     +--------+-------------------------+-----------------------------+--------+
//     | header | explicit nonce          | ciphertext                  | tag    |
//     | 13     | 8 bytes (AES-GCM only)  | as many bytes as the packet | 16     |
//     +--------+-------------------------+-----------------------------+--------+
//
// Why no nonce is used twice under one key:
//   1. A sequence number is used up before the cipher is called, even if the cipher fails. Sequence
//      numbers only grow, and stop at the limit or below the last, 2^48 - 1, which is used by one
//      call of seal_last().
//   2. Each sequence number has its own nonce. AES-GCM: the fixed IV, then (base + number) modulo
//      2^64. ChaCha20-Poly1305: the fixed IV xor the number.
//   3. The handshake's records under this key have sequence numbers below first_sequence, and their
//      nonces follow the same rule.
//   4. Two threads may seal at the same time. Each takes its numbers off the one count before it
//      uses them, and has a cipher object of its own.
//   5. A Sealer can be moved, not copied. The caller makes one Sealer per key. In another process a
//      successor continues `handed_over_gap` numbers above the state of a Sealer that has sealed
//      its last record.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>

#include "routevpn/base/outbound_packet.hpp"
#include "routevpn/base/relaxed.hpp"
#include "routevpn/record/cipher.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::record {

// What a Sealer needs to continue in another process.
struct SealerState {
  DirectionKeys keys;
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  std::uint64_t end = 0;
  std::uint64_t explicit_nonce_base = 0;
  bool last_is_left = true;

  template <typename Io>
  friend void fields(Io& io, SealerState& state) {
    io(state.keys, state.first, state.next, state.end, state.explicit_nonce_base,
       state.last_is_left);
  }
};

class Sealer {
 public:
  static constexpr std::uint64_t handed_over_gap = 1024;

  // Sequence numbers start at `first_sequence`. The explicit nonce (AES-GCM) of a record is
  // `explicit_nonce_base` plus its sequence number, modulo 2^64. After `limit` records, or
  // traits(suite).record_limit if that is fewer, every record is refused. Throws SystemError as
  // make_aead() does.
  Sealer(CryptoBackend backend, CipherSuite suite, const DirectionKeys& keys,
         std::uint64_t first_sequence, std::uint64_t explicit_nonce_base, std::uint64_t limit);
  // Continues above the gap, up to the same limit. Throws as above.
  Sealer(CryptoBackend backend, CipherSuite suite, const SealerState& state);
  // Makes seal_beside() possible. Throws SystemError as make_aead() does.
  void add_second_thread(CryptoBackend backend);
  // Seals no record from now on. No other thread seals.
  [[nodiscard]] SealerState hand_over();

  // Seals as many of the packets as the limit allows, in order, and returns their number. Each has
  // at most max_plaintext_bytes, headroom(suite) bytes before and `tailroom` bytes after it. Epoch
  // 1, DTLS 1.2. If the library fails, all further records are refused, as at the limit.
  std::size_t seal(std::span<const OutboundPacket> packets,
                   ContentType type = ContentType::application_data);

  // The same for a second thread, while the first seals.
  std::size_t seal_beside(std::span<const OutboundPacket> packets);

  // Seals one packet with the last sequence number. Call it once. False: the library failed, or the
  // number is not left.
  bool seal_last(const OutboundPacket& packet, ContentType type);

  [[nodiscard]] CipherSuite suite() const { return suite_; }
  [[nodiscard]] std::uint64_t sealed() const { return next_ - first_; }
  // The number of records up to the limit.
  [[nodiscard]] std::uint64_t remaining() const {
    const std::uint64_t end = end_;
    return end - std::min<std::uint64_t>(end, next_);
  }

 private:
  struct Numbers {
    std::uint64_t first = 0;
    std::size_t count = 0;
  };
  Numbers take_numbers(std::size_t wanted);
  std::size_t seal_with(Aead& aead, std::span<const OutboundPacket> packets, ContentType type);
  bool seal_one(Aead& aead, const OutboundPacket& packet, ContentType type,
                std::uint64_t sequence) const;

  std::unique_ptr<Aead> aead_;
  std::unique_ptr<Aead> second_;  // of the second thread
  CipherSuite suite_;
  std::size_t explicit_nonce_bytes_;
  DirectionKeys keys_;
  std::uint64_t first_;
  Relaxed<std::uint64_t> next_;
  Relaxed<std::uint64_t> end_;  // the first sequence number that is refused
  bool last_is_left_;
  std::uint64_t explicit_nonce_base_;
};

}  // namespace routevpn::record
