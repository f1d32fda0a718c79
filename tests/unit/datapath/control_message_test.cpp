#include "routevpn/datapath/control_message.hpp"

#include <vector>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::datapath;

TEST_CASE("a control message has the documented layout") {
  std::vector<std::uint8_t> bytes(control_message_bytes, 0xff);
  encode({ControlMessage::Kind::echo_reply, 0x01020304, 0x1112131415161718, 0x21222324},
         bytes.data());
  CHECK(bytes == std::vector<std::uint8_t>{2,    0,    0,    0,    1,    2,    3,
                                           4,    0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                                           0x17, 0x18, 0x21, 0x22, 0x23, 0x24});
  const auto message = decode_control(bytes);
  REQUIRE(message);
  CHECK(message->kind == ControlMessage::Kind::echo_reply);
  CHECK(message->sequence == 0x01020304);
  CHECK(message->stamp == 0x1112131415161718);
  CHECK(message->received == 0x21222324);
}

TEST_CASE("padding is accepted, truncation and unknown kinds are refused") {
  std::vector<std::uint8_t> bytes(control_message_bytes);
  encode({}, bytes.data());
  bytes.resize(1400);
  CHECK(decode_control(bytes));
  bytes.resize(control_message_bytes - 1);
  CHECK_FALSE(decode_control(bytes));
  CHECK_FALSE(decode_control({}));
  bytes.resize(control_message_bytes);
  bytes[0] = 0x0f;
  CHECK_FALSE(decode_control(bytes));
}

TEST_CASE("no first byte is both an IP packet's and a control message's") {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool ip = byte >> 4 == 4 || byte >> 4 == 6;
    CHECK(is_control(static_cast<std::uint8_t>(byte)) == !ip);
  }
  for (const auto kind : {ControlMessage::Kind::echo_request, ControlMessage::Kind::echo_reply,
                          ControlMessage::Kind::rekey_request}) {
    CHECK(is_control(static_cast<std::uint8_t>(kind)));
  }
}
