#include "routevpn/datapath/held_packets.hpp"

#include <string>
#include <vector>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::datapath;

namespace {

// A packet is one letter. Capital letters are of slot 1, the others of slot 2.
struct Letters {
  HeldPackets held;

  void add(const std::string& letters) {
    for (const char letter : letters) {
      const auto byte = static_cast<std::uint8_t>(letter);
      REQUIRE(held.add({&byte, 1}, letter < 'a' ? 1 : 2));
    }
  }
  // Some packets come before a pass, and some during it.
  void begin_pass(const std::string& before, const std::string& during = "") {
    add(before);
    held.begin_pass();
    add(during);
  }
  std::string release() {
    std::string letters;
    for (const auto& packet : held.release()) {
      REQUIRE(packet.bytes.size() == 1);
      letters += static_cast<char>(packet.bytes[0]);
    }
    return letters;
  }
};

}  // namespace

TEST_CASE("packets are released in order when a pass ends that began behind them") {
  Letters letters;
  letters.begin_pass("AbC");
  CHECK(letters.release() == "AbC");
  CHECK(letters.held.holds(1));  // until they are sent
  CHECK(letters.held.released().size() == 3);
  CHECK(letters.held.empty());
  CHECK_FALSE(letters.held.holds(1));
  CHECK_FALSE(letters.held.holds(2));
}

TEST_CASE("a flow whose first packet came during the pass waits for the next one") {
  Letters letters;
  letters.begin_pass("A", "bCd");
  CHECK(letters.release() == "AC");  // all of the slot that held A
  letters.held.released();
  CHECK_FALSE(letters.held.holds(1));
  CHECK(letters.held.holds(2));
  letters.held.begin_pass();
  CHECK(letters.release() == "bd");
  letters.held.released();
  CHECK(letters.held.empty());
}

TEST_CASE("a packet that comes while the others are sent is not lost") {
  Letters letters;
  letters.begin_pass("A");
  CHECK(letters.release() == "A");
  letters.add("B");
  letters.held.released();
  CHECK(letters.held.holds(1));
  letters.held.begin_pass();
  CHECK(letters.release() == "B");
}

TEST_CASE("a slot without packets is held until a pass ends that began behind hold()") {
  HeldPackets held;
  held.hold(1);
  CHECK_FALSE(held.empty());
  held.begin_pass();
  held.hold(2);
  CHECK(held.release().empty());
  CHECK(held.holds(1));
  held.released();
  CHECK_FALSE(held.holds(1));
  CHECK(held.holds(2));
  held.begin_pass();
  held.release();
  held.released();
  CHECK(held.empty());
}

TEST_CASE("all packets can be dropped") {
  Letters letters;
  letters.begin_pass("A", "b");
  CHECK(letters.held.drop_all() == 2);
  CHECK(letters.held.empty());
  CHECK_FALSE(letters.held.holds(1));
}

TEST_CASE("a pass that begins while another is open changes nothing") {
  Letters letters;
  letters.begin_pass("A", "b");
  letters.held.begin_pass();
  CHECK(letters.release() == "A");
}

TEST_CASE("packets beyond the room are refused, and the room is used again") {
  HeldPackets held;
  const std::vector<std::uint8_t> large(HeldPackets::most_bytes / 2);
  for (int round = 0; round < 3; ++round) {
    CHECK(held.add(large, 1));
    CHECK(held.add(large, 1));
    CHECK_FALSE(held.add(std::span(large).first(1), 1));
    held.begin_pass();
    CHECK(held.release().size() == 2);
    held.released();
  }
  for (std::size_t i = 0; i < HeldPackets::most_packets; ++i) {
    REQUIRE(held.add(std::span(large).first(1), 1));
  }
  CHECK_FALSE(held.add(std::span(large).first(1), 1));
}
