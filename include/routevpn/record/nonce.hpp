// What a record's AEAD is given besides key and payload. Both are read from the record itself, so
// that sealing and opening cannot differ.
//
//     nonce, AES-GCM (RFC 5288 section 3):   | fixed IV, 4 | explicit nonce, 8, from the record |
//     nonce, ChaCha20-Poly1305 (RFC 7905):   | fixed IV, 12 |  xor  | 0, 4 | epoch, sequence, 8 |
//     additional data (RFC 5246 section 6.2.3.3, RFC 6347 section 4.1.2.1):
//                                | epoch, sequence, 8 | type, 1 | version, 2 | payload length, 2 |
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "routevpn/record/cipher.hpp"
#include "routevpn/record/wire.hpp"

namespace routevpn::record {

using Nonce = std::array<std::uint8_t, nonce_bytes>;
using AdditionalData = std::array<std::uint8_t, 8 + 1 + 2 + 2>;

// `record` is the record's header and, for AES-GCM, the explicit nonce behind it.
inline Nonce record_nonce(CipherSuite suite, const Nonce& fixed_iv, const std::uint8_t* record) {
  constexpr std::size_t counted = 8;
  constexpr std::size_t fixed = nonce_bytes - counted;
  Nonce nonce = fixed_iv;
  if (suite == CipherSuite::chacha20_poly1305) {
    const std::uint8_t* const epoch_and_sequence = record + 3;
    for (std::size_t i = 0; i < counted; ++i) nonce[fixed + i] ^= epoch_and_sequence[i];
  } else {
    std::copy_n(record + header_bytes, counted, nonce.begin() + fixed);
  }
  return nonce;
}

// `record` is the record's header; its length field counts more than the payload.
inline AdditionalData additional_data(const std::uint8_t* record, std::size_t payload_length) {
  AdditionalData data;
  std::copy_n(record + 3, 8, data.begin());
  std::copy_n(record, 3, data.begin() + 8);
  store_be16(data.data() + 11, static_cast<std::uint16_t>(payload_length));
  return data;
}

}  // namespace routevpn::record
