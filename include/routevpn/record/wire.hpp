// The DTLS 1.2 record header, RFC 6347 section 4.1.
//
//      0        1        3        5                 11       13
//     +--------+--------+--------+------------------+--------+----------
//     |  type  |version | epoch  | sequence number  | length | fragment
//     +--------+--------+--------+------------------+--------+----------
//
// The numbers are offsets in bytes. Lengths are checked before fields are read.
#pragma once

#include <cstdint>
#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/base/mtu.hpp"

namespace routevpn::record {

inline constexpr std::size_t header_bytes = 1 + 2 + 2 + 6 + 2;
inline constexpr std::uint16_t dtls_1_2 = 0xfefd;
inline constexpr std::uint16_t dtls_1_0 = 0xfeff;  // in a first flight, RFC 6347 section 4.2.1
inline constexpr std::uint64_t max_sequence = (std::uint64_t{1} << 48) - 1;
inline constexpr std::size_t max_plaintext_bytes = maximum_mtu;                // RFC 5246 6.2.1
inline constexpr std::size_t max_fragment_bytes = max_plaintext_bytes + 2048;  // RFC 5246 6.2.3

enum class ContentType : std::uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
};

struct Header {
  ContentType type = ContentType::application_data;
  std::uint16_t version = dtls_1_2;
  std::uint16_t epoch = 0;
  std::uint64_t sequence = 0;  // 48 bits
  std::uint16_t length = 0;    // of the fragment
};

// These write and read header_bytes bytes. decode() checks no field.
void encode(const Header& header, std::uint8_t* at);
Header decode(const std::uint8_t* at);

// The first record of the remaining datagram, or its fault. After a fault the rest of the datagram
// is unusable, because only the refused header tells where the next record begins. The fault is the
// first of these that applies:
//
//     record_truncated  fewer bytes than a header
//     record_type       not a ContentType
//     record_version    not DTLS 1.2; epoch 0 also allows DTLS 1.0, for first flights
//     record_epoch      neither 0 nor 1; without renegotiation no later epoch begins
//     record_length     length field 0 or above max_fragment_bytes; records of epoch 1 have a tag,
//                       records of epoch 0 must not be empty (RFC 5246 section 6.2.1)
//     record_truncated  the length field exceeds the datagram
struct Split {
  std::optional<Drop> fault;
  Header header{};
  Bytes record{};  // header and fragment; empty after a fault
};
Split split_first(Bytes datagram);

}  // namespace routevpn::record
