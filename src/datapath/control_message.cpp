#include "routevpn/datapath/control_message.hpp"

#include <algorithm>

namespace routevpn::datapath {

void encode(const ControlMessage& message, std::uint8_t* at) {
  at[0] = static_cast<std::uint8_t>(message.kind);
  std::fill_n(at + 1, 3, std::uint8_t{0});
  store_be32(at + 4, message.sequence);
  store_be64(at + 8, message.stamp);
  store_be32(at + 16, message.received);
}

std::optional<ControlMessage> decode_control(ConstBytes payload) {
  using Kind = ControlMessage::Kind;
  if (payload.size() < control_message_bytes) return std::nullopt;
  const auto kind = static_cast<Kind>(payload[0]);
  if (kind != Kind::echo_request && kind != Kind::echo_reply && kind != Kind::rekey_request) {
    return std::nullopt;
  }
  const std::uint8_t* const at = payload.data();
  return ControlMessage{kind, load_be32(at + 4), load_be64(at + 8), load_be32(at + 16)};
}

}  // namespace routevpn::datapath
