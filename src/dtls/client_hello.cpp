#include "client_hello.hpp"

#include <algorithm>

namespace routevpn::dtls {

namespace {

constexpr std::size_t max_session_bytes = 32;  // RFC 5246 section 7.4.1.2
constexpr std::uint16_t last_sequence = 1;

// Removes a vector with a length of one byte.
std::optional<ConstBytes> take_vector(ConstBytes& rest) {
  if (rest.empty() || rest.size() < 1U + rest[0]) return std::nullopt;
  const ConstBytes vector = rest.subspan(1, rest[0]);
  rest = rest.subspan(1 + vector.size());
  return vector;
}

}  // namespace

std::optional<HelloStart> take_hello_start(ConstBytes& datagram) {
  const auto record = take_record(datagram);
  if (!record || record->header.type != record::ContentType::handshake ||
      record->header.version >> 8 != dtls_major || record->header.epoch != 0) {
    return std::nullopt;
  }
  ConstBytes fragment = record->fragment;
  const auto message = take_message(fragment);
  if (!message || message->type != MessageType::client_hello || message->fragment_offset != 0) {
    return std::nullopt;
  }
  return HelloStart{*record, *message, fragment.empty()};
}

// The body, RFC 6347 section 4.2.1:
//
// clang-format off
//      0         2        34
//     +---------+--------+-----------------+----------------+----------------------
//     | version | random | length, session | length, cookie | suites, extensions
//     +---------+--------+-----------------+----------------+----------------------
// clang-format on
std::optional<ClientHello> parse_client_hello(ConstBytes datagram) {
  const auto start = take_hello_start(datagram);
  if (!start) return std::nullopt;
  const auto& [record, message, fills_record] = *start;
  if (!fills_record || message.sequence > last_sequence ||
      message.fragment.size() != message.length || message.length > max_hello_bytes) {
    return std::nullopt;
  }
  ConstBytes body = message.fragment;
  if (body.size() < 2 + random_bytes || body[0] != dtls_major) return std::nullopt;
  const ConstBytes random = body.subspan(2, random_bytes);
  body = body.subspan(2 + random_bytes);
  const auto session = take_vector(body);
  if (!session || session->size() > max_session_bytes) return std::nullopt;
  const ConstBytes before = message.fragment.first(message.fragment.size() - body.size());
  const auto cookie = take_vector(body);
  if (!cookie) return std::nullopt;
  return ClientHello{
      record.header.sequence, message.sequence, random, before, *cookie, body, record.whole};
}

// Version 1.0 in both places: a peer must not take it for the version that is agreed (RFC 6347
// section 4.2.1).
HelloVerifyRequest make_hello_verify_request(std::uint64_t number, const Cookie& cookie) {
  HelloVerifyRequest bytes{};
  constexpr std::uint8_t body_bytes = 2 + 1 + cookie_bytes;
  record::encode({record::ContentType::handshake, record::dtls_1_0, 0, number,
                  Message::header_bytes + body_bytes},
                 bytes.data());
  std::uint8_t* const message = bytes.data() + record::header_bytes;
  message[0] = static_cast<std::uint8_t>(MessageType::hello_verify_request);
  message[3] = body_bytes;   // length
  message[11] = body_bytes;  // fragment length; message number and fragment offset are 0
  std::uint8_t* const body = message + Message::header_bytes;
  store_be16(body, record::dtls_1_0);
  body[2] = cookie_bytes;
  std::ranges::copy(cookie, body + 3);
  return bytes;
}

}  // namespace routevpn::dtls
