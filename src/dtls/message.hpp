// Handshake messages in records of epoch 0: their header, and which of them a role may receive.
#pragma once

#include <cstdint>
#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/drop.hpp"
#include "routevpn/dtls/handshake.hpp"

namespace routevpn::dtls {

// RFC 5246 section 7.4 and RFC 6347 section 4.3.2: those that our handshakes use.
enum class MessageType : std::uint8_t {
  client_hello = 1,
  server_hello = 2,
  hello_verify_request = 3,
  certificate = 11,
  server_key_exchange = 12,
  certificate_request = 13,
  server_hello_done = 14,
  certificate_verify = 15,
  client_key_exchange = 16,
};

inline constexpr std::uint8_t dtls_major = 0xfe;  // of every version of DTLS

// OpenSSL allocates the length that a message announces: 16 KiB are three RSA-4096 certificates
// with long names.
inline constexpr std::uint32_t max_certificate_message_bytes = 16384;
inline constexpr std::uint32_t max_hello_bytes = 4096;  // ClientHello, ServerHello

// A message or a fragment of it, RFC 6347 section 4.2.2:
//
// clang-format off
//      0        1          4           6                 9                 12
//     +--------+----------+-----------+-----------------+-----------------+----------
//     |  type  |  length  | sequence  | fragment offset | fragment length | fragment
//     +--------+----------+-----------+-----------------+-----------------+----------
// clang-format on
struct Message {
  static constexpr std::size_t header_bytes = 1 + 3 + 2 + 3 + 3;

  MessageType type{};
  std::uint32_t length = 0;  // of the whole message, 24 bits
  std::uint16_t sequence = 0;
  std::uint32_t fragment_offset = 0;
  ConstBytes whole;     // header and fragment
  ConstBytes fragment;  // of the message
};

// Removes the first message from a record's fragment; none: the rest is shorter than its header
// announces.
std::optional<Message> take_message(ConstBytes& fragment);

// Why OpenSSL must not see this message of epoch 0: handshake_malformed or handshake_unexpected.
std::optional<Drop> fault_of(const Message& message, Role receiver);

}  // namespace routevpn::dtls
