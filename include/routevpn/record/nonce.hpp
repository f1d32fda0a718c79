// A record's nonce and additional data. Sealing and opening compute both from the header and the
// explicit nonce on the wire, so they agree. Field lengths in bytes:
//
//     nonce, AES-GCM (RFC 5288 section 3):   | fixed IV, 4 | explicit nonce, 8, from the record |
//     nonce, ChaCha20-Poly1305 (RFC 7905):   | fixed IV, 12 |  xor  | 0, 4 | epoch, sequence, 8 |
//     additional data (RFC 5246 section 6.2.3.3, RFC 6347 section 4.1.2.1):
//                                | epoch, sequence, 8 | type, 1 | version, 2 | payload length, 2 |
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include <endian.h>

#include "routevpn/record/cipher.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::record {

inline constexpr std::size_t additional_data_bytes = 8 + 1 + 2 + 2;

// 16 bytes, written by one store: the ciphers read them at once with wide loads, and a load that
// spans several pending stores stalls until they are in the cache.
class alignas(16) AeadInput {
 public:
  // Two numbers, written in network order.
  AeadInput(std::uint64_t first, std::uint64_t second) {
    const Block block = {htobe64(first), htobe64(second)};
    std::memcpy(bytes_.data(), &block, sizeof block);
  }
  [[nodiscard]] const std::uint8_t* data() const { return bytes_.data(); }

 private:
  using Block = std::uint64_t __attribute__((vector_size(16)));

  std::array<std::uint8_t, sizeof(Block)> bytes_;
};

inline std::uint64_t epoch_and_sequence(const Header& header) {
  return std::uint64_t{header.epoch} << 48 | header.sequence;
}

// The first nonce_bytes bytes are the nonce. Only AES-GCM uses `explicit_nonce`.
inline AeadInput record_nonce(CipherSuite suite, const std::array<std::uint8_t, nonce_bytes>& iv,
                              const Header& header, std::uint64_t explicit_nonce) {
  if (suite == CipherSuite::chacha20_poly1305) {
    const std::uint64_t counted = epoch_and_sequence(header);
    return {load_be64(iv.data()) ^ counted >> 32,
            std::uint64_t{load_be32(iv.data() + 8)} << 32 ^ counted << 32};
  }
  return {std::uint64_t{load_be32(iv.data())} << 32 | explicit_nonce >> 32, explicit_nonce << 32};
}

// The first additional_data_bytes bytes are used. The length is the payload's, not header.length.
inline AeadInput additional_data(const Header& header, std::size_t payload_length) {
  const auto type = static_cast<std::uint64_t>(header.type);
  return {epoch_and_sequence(header),
          type << 56 | std::uint64_t{header.version} << 40 | std::uint64_t{payload_length} << 24};
}

}  // namespace routevpn::record
