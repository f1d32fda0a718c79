// Control messages: payloads that routevpn ends exchange inside an association that negotiated ALPN
// routevpn/1 or routevpn/2. Their first nibble is neither 4 nor 6, so no IP packet is taken for
// one.
//
//      0      1          4            8                16          20
//     +------+----------+------------+----------------+-----------+---------
//     | kind | 0 0 0    | sequence   | stamp          | received  | padding
//     +------+----------+------------+----------------+-----------+---------
//
// An echo reply repeats sequence and stamp of the request. Its `received` is the number of echo
// requests that its sender has received in this association, which gives the loss per direction.
// A lane drops unknown kinds, so later versions may add some. Kind 4 has its own format:
// fragments.hpp. Kinds 5 and 6 need ALPN routevpn/2: sparse_flow.hpp. A sparse reply repeats
// sequence and stamp of its request, too; its `received` is 0.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "routevpn/base/bytes.hpp"
#include "routevpn/base/clock.hpp"

namespace routevpn::datapath {

struct ControlMessage {
  enum class Kind : std::uint8_t {
    echo_request = 1,
    echo_reply = 2,
    rekey_request = 3,  // the acceptor asks the initiator for a rekey
    sparse_request = 5,
    sparse_reply = 6,
  };
  Kind kind = Kind::echo_request;
  std::uint32_t sequence = 0;
  std::uint64_t stamp = 0;  // the requesting end's clock in nanoseconds
  std::uint32_t received = 0;
};

inline constexpr std::size_t control_message_bytes = 1 + 3 + 4 + 8 + 4;

// Bit of the sequence number of echo requests that probe the path MTU. They do not count for loss.
inline constexpr std::uint32_t path_probe = 1U << 31;
// Of the echo request by which an initiator shows its bulk flow's address: sparse.cpp. No probe of
// the path MTU has this number.
inline constexpr std::uint32_t address_probe = path_probe | 3;
// `received` of an initiator's reply to such a request that came to its second port:
// sparse_flow.hpp.
inline constexpr std::uint32_t at_second_port = ~std::uint32_t{0};

// Whether a payload is a control message. Valid only if control messages were negotiated.
constexpr bool is_control(std::uint8_t first_byte) {
  return first_byte >> 4 != 4 && first_byte >> 4 != 6;
}

inline std::uint64_t stamp_of(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
// Of an own request, or of the reply to it.
inline Time time_of(const ControlMessage& message) {
  return Time(Duration(static_cast<Duration::rep>(message.stamp)));
}

// Writes control_message_bytes.
inline void encode(const ControlMessage& message, std::uint8_t* at) {
  at[0] = static_cast<std::uint8_t>(message.kind);
  std::fill_n(at + 1, 3, std::uint8_t{0});
  store_be32(at + 4, message.sequence);
  store_be64(at + 8, message.stamp);
  store_be32(at + 16, message.received);
}

inline std::optional<ControlMessage> decode_control(ConstBytes payload) {
  using Kind = ControlMessage::Kind;
  if (payload.size() < control_message_bytes) return std::nullopt;
  const auto kind = static_cast<Kind>(payload[0]);
  constexpr auto fragment = static_cast<Kind>(4);
  if (kind < Kind::echo_request || kind > Kind::sparse_reply || kind == fragment) {
    return std::nullopt;
  }
  const std::uint8_t* const at = payload.data();
  return ControlMessage{kind, load_be32(at + 4), load_be64(at + 8), load_be32(at + 16)};
}

}  // namespace routevpn::datapath
