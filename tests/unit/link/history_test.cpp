#include "routevpn/link/history.hpp"

#include "routevpn/base/fields.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::link;

TEST_CASE("a history has the last 32 changes, also in another process") {
  History history;
  for (int i = 0; i < 40; ++i) {
    history.add({Time(std::chrono::seconds(i)), i % 2 == 0 ? "up" : "down", {"silence", "text"}});
  }
  REQUIRE(history.changes().size() == History::most);
  CHECK(history.changes().front().at == Time(std::chrono::seconds(8)));
  std::vector<std::uint8_t> memory(1UL << 16);
  FieldWriter writer(memory);
  writer(history);
  REQUIRE(writer.fits());
  FieldReader reader(ConstBytes(memory).first(writer.bytes()));
  History taken;
  reader(taken);
  REQUIRE(reader.complete());
  REQUIRE(taken.changes().size() == History::most);
  CHECK(taken.changes().back().state == "down");
  CHECK(taken.changes().back().reason.word == "silence");
}
