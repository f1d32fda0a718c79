// Which bytes of a packet have arrived.
#include <vector>

#include "routevpn/datapath/fragments.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::datapath;

namespace {

std::vector<std::uint8_t> fragment(std::uint8_t packet, std::uint8_t offset, std::size_t bytes,
                                   std::uint8_t length, std::uint8_t content) {
  std::vector<std::uint8_t> payload = {fragment_kind, 0, 0, packet, 0, offset, 0, length};
  payload.insert(payload.end(), bytes, content);
  return payload;
}

struct Adder {
  Reassembler reassembler;
  Reassembler::Result operator()(const std::vector<std::uint8_t>& payload) {
    return reassembler.add(1, payload, inside::Ecn::not_ect);
  }
};

}  // namespace

TEST_CASE("overlapping fragments deliver no bytes of an earlier packet") {
  Adder add;
  // A packet leaves its bytes in the memory of a slot.
  add(fragment(1, 0, 50, 100, 0xaa));
  CHECK(add(fragment(1, 50, 50, 100, 0xaa)).packet.size() == 100);
  const auto second = GENERATE(0U, 10U, 39U, 41U);
  add(fragment(2, 0, 40, 100, 0xbb));
  add(fragment(2, 80, 20, 100, 0xbb));
  const auto overlap = add(fragment(2, static_cast<std::uint8_t>(second), 40, 100, 0xbb));
  CHECK(overlap.fault == Drop::payload_malformed);
  CHECK(overlap.packet.empty());
  // The packet is discarded: its last bytes begin another.
  CHECK(add(fragment(2, 40, 40, 100, 0xbb)).packet.empty());
}

TEST_CASE("a packet in more ranges than the reassembler tracks is discarded and counted") {
  Adder add;
  for (std::uint8_t i = 0; i < 16; ++i) {
    CHECK_FALSE(add(fragment(1, static_cast<std::uint8_t>(4 * i), 2, 100, 1)).fault);
  }
  CHECK(add(fragment(1, 64, 2, 100, 1)).fault == Drop::payload_incomplete);
  CHECK(add(fragment(2, 0, 100, 100, 1)).packet.size() == 100);
}

TEST_CASE("fragments that fill the gaps between ranges complete the packet") {
  Adder add;
  constexpr std::uint8_t order[] = {4, 12, 8, 0, 14, 2, 6};
  for (const auto at : order) CHECK(add(fragment(1, at, 2, 16, at)).packet.empty());
  const auto whole = add(fragment(1, 10, 2, 16, 10)).packet;
  REQUIRE(whole.size() == 16);
  for (std::size_t i = 0; i < 16; ++i) CHECK(whole[i] == i / 2 * 2);
}
