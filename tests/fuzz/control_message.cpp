// A control message that is understood is encoded again as it was received.
#include "routevpn/datapath/control_message.hpp"

#include "target.hpp"

void routevpn::fuzz::run_target(Input input) {
  const Octets payload(input.rest().begin(), input.rest().end());
  const auto message = datapath::decode_control(payload);
  if (!message) return;
  require(datapath::is_control(payload[0]), "a control message is no IP packet");
  std::uint8_t encoded[datapath::control_message_bytes];
  datapath::encode(*message, encoded);
  require(
      encoded[0] == payload[0] && std::equal(encoded + 4, std::end(encoded), payload.begin() + 4),
      "encode() inverts decode_control()");
}
