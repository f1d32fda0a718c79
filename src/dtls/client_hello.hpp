// The messages of the cookie exchange, RFC 6347 section 4.2.1, without OpenSSL: a datagram with a
// forged source address costs one HMAC.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/record/wire.hpp"

#include "message.hpp"
#include "records.hpp"

namespace routevpn::dtls {

inline constexpr std::size_t random_bytes = 32;
inline constexpr std::size_t cookie_bytes = 32;
using Cookie = std::array<std::uint8_t, cookie_bytes>;

// Views of the datagram.
struct ClientHello {
  std::uint64_t number = 0;    // of the record
  std::uint16_t sequence = 0;  // of the message
  ConstBytes random;
  ConstBytes before_cookie;  // version, random, session ID
  ConstBytes cookie;         // may be empty
  ConstBytes after_cookie;   // cipher suites, compression methods, extensions
  ConstBytes record;         // header and fragment

  // The ClientHello that returns a cookie is the initiator's second message. OpenSSL demands it.
  [[nodiscard]] bool may_have_cookie() const { return sequence == 1; }
};

// The first record of a datagram, which is of epoch 0, and the ClientHello, or its first fragment,
// with which that record begins.
struct HelloStart {
  RecordView record;
  Message message;
  bool fills_record = false;
};
// Removes the record from `datagram`. None: the datagram begins with something else.
std::optional<HelloStart> take_hello_start(ConstBytes& datagram);

// None: the datagram does not begin with a record of epoch 0 that holds a whole ClientHello. A
// fragment does not suffice, because the cookie is bound to the whole.
std::optional<ClientHello> parse_client_hello(ConstBytes datagram);

inline constexpr std::size_t hello_verify_request_bytes =
    record::header_bytes + Message::header_bytes + 2 + 1 + cookie_bytes;
using HelloVerifyRequest = std::array<std::uint8_t, hello_verify_request_bytes>;

// `number`: of the ClientHello's record.
HelloVerifyRequest make_hello_verify_request(std::uint64_t number, const Cookie& cookie);

// The answer is shorter than every ClientHello, so it cannot amplify traffic: a ClientHello has two
// headers, version, random, and the lengths of session and cookie.
inline constexpr std::size_t least_client_hello_bytes =
    record::header_bytes + Message::header_bytes + 2 + random_bytes + 1 + 1;
static_assert(hello_verify_request_bytes < least_client_hello_bytes);

}  // namespace routevpn::dtls
