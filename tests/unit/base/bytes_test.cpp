#include "routevpn/base/bytes.hpp"

#include <array>

#include "routevpn/base/drop.hpp"

#include "catch.hpp"

using namespace routevpn;

TEST_CASE("integers are coded in network order and come back") {
  std::array<std::uint8_t, 8> at{};
  store_be64(at.data(), 0x0102030405060708);
  CHECK(at == std::array<std::uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(load_be64(at.data()) == 0x0102030405060708);
  CHECK(load_be48(at.data()) == 0x010203040506);
  CHECK(load_be32(at.data()) == 0x01020304);
  CHECK(load_be16(at.data()) == 0x0102);
  store_be48(at.data(), 0xfffefdfcfbfa);
  CHECK(load_be48(at.data()) == 0xfffefdfcfbfa);
}

TEST_CASE("every drop reason has a name of its own") {
  for (std::size_t i = 0; i < drop_count; ++i) {
    CHECK_FALSE(name_of(static_cast<Drop>(i)).empty());
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(name_of(static_cast<Drop>(i)) != name_of(static_cast<Drop>(j)));
    }
  }
  CHECK(name_of(Drop::inside_not_ip) == "inside_not_ip");
  CHECK(name_of(Drop::record_forged) == "record_forged");
  CHECK(name_of(Drop::plaintext_alert) == "plaintext_alert");
}

TEST_CASE("drops are counted by reason") {
  DropCounters counters;
  counters.add(Drop::record_forged);
  counters.add(Drop::record_forged, 2);
  CHECK(counters.get(Drop::record_forged) == 3);
  CHECK(counters.get(Drop::record_replayed) == 0);
}
