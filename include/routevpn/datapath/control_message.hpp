// What two routevpn ends say to each other inside the association, when ALPN routevpn/1 was agreed:
// payloads whose first nibble is neither 4 nor 6, so that they can never be an IP packet.
//
//      0      1          4            8                16          20
//     +------+----------+------------+----------------+-----------+---------
//     | kind | 0 0 0    | sequence   | stamp          | received  | padding
//     +------+----------+------------+----------------+-----------+---------
//
// An echo reply brings back sequence and stamp as they were; `received` tells how many echo
// requests its sender has had in this association, so that loss is known for each direction.
// Anything behind is padding; an unknown kind is ignored, so that later versions may add some.
// Kind 4 has a form of its own: pieces.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "routevpn/base/bytes.hpp"

namespace routevpn::datapath {

struct ControlMessage {
  enum class Kind : std::uint8_t {
    echo_request = 1,
    echo_reply = 2,
    rekey_request = 3,  // acceptor to initiator: please make a new association
  };
  Kind kind = Kind::echo_request;
  std::uint32_t sequence = 0;
  std::uint64_t stamp = 0;  // the asking end's clock, nanoseconds; means nothing to the other
  std::uint32_t received = 0;
};

inline constexpr std::size_t control_message_bytes = 1 + 3 + 4 + 8 + 4;

// In an echo request's sequence number: it asks what the path carries, and says nothing of loss.
inline constexpr std::uint32_t path_probe = 1U << 31;

// Whether a payload is one, given that control messages were agreed.
constexpr bool is_control(std::uint8_t first_byte) {
  return first_byte >> 4 != 4 && first_byte >> 4 != 6;
}
void encode(const ControlMessage& message, std::uint8_t* at);  // control_message_bytes
std::optional<ControlMessage> decode_control(ConstBytes payload);

}  // namespace routevpn::datapath
