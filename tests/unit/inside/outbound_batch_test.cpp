#include "routevpn/inside/outbound_batch.hpp"

#include "catch.hpp"

using routevpn::inside::OutboundBatch;

TEST_CASE("packets lie one behind the other with headroom and tailroom between them") {
  OutboundBatch batch(1000, 10);
  batch.clear(21, 16);
  std::uint8_t* const first = batch.append(100);
  std::uint8_t* const second = batch.append(50);
  std::uint8_t* const third = batch.append(0);
  REQUIRE(first != nullptr);
  CHECK(second == first + 100 + 16 + 21);
  CHECK(third == second + 50 + 16 + 21);
  CHECK(batch.packets().size() == 3);
  CHECK(batch.packets()[1].data == second);
  CHECK(batch.packets()[1].length == 50);
  CHECK(batch.free_bytes() == 1000 - 3 * (21 + 16) - 150);
  CHECK(batch.free_packets() == 7);
}

TEST_CASE("a batch takes packets up to the last byte and the last packet") {
  OutboundBatch batch(200, 2);
  batch.clear(10, 10);
  CHECK(batch.append(181) == nullptr);
  CHECK(batch.empty());
  CHECK(batch.append(180) != nullptr);
  CHECK(batch.free_bytes() == 0);
  CHECK(batch.append(0) == nullptr);

  batch.clear(0, 0);
  CHECK(batch.free_bytes() == 200);
  CHECK(batch.append(1) != nullptr);
  CHECK(batch.append(1) != nullptr);
  CHECK(batch.append(1) == nullptr);
}

TEST_CASE("truncate removes packets and frees their memory") {
  OutboundBatch batch(1000, 10);
  batch.clear(13, 16);
  std::uint8_t* const first = batch.append(10);
  std::uint8_t* const second = batch.append(20);
  batch.append(30);
  batch.truncate(3);
  CHECK(batch.packets().size() == 3);
  batch.truncate(1);
  CHECK(batch.packets().size() == 1);
  CHECK(batch.free_bytes() == 1000 - 10 - 13 - 16);
  CHECK(batch.append(40) == second);
  batch.truncate(0);
  CHECK(batch.empty());
  CHECK(batch.free_bytes() == 1000);
  CHECK(batch.append(10) == first);
}
