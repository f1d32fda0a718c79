#include "routevpn/datapath/keepalives.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace std::chrono_literals;

namespace {

constexpr Time start{std::chrono::hours(1)};
constexpr SendEcho series{7, 2, 100ms, 10ms, 0ms};

bool is_nothing(Keepalives& keepalives, Time now) {
  return std::holds_alternative<std::monostate>(keepalives.take(now));
}

}  // namespace

TEST_CASE("a series sends each request an interval after the one before") {
  Keepalives keepalives;
  keepalives.begin(series, start);
  CHECK(keepalives.answers(7, start));
  CHECK(keepalives.goes_on());
  CHECK(keepalives.due() == start + 100ms);
  CHECK(is_nothing(keepalives, start + 99ms));
  CHECK(std::get<std::uint32_t>(keepalives.take(start + 101ms)) == 8);
  CHECK(is_nothing(keepalives, start + 101ms));
  CHECK(keepalives.answers(8, start + 101ms));
  CHECK(keepalives.due() == start + 201ms);
  CHECK(std::get<std::uint32_t>(keepalives.take(start + 201ms)) == 9);
  CHECK_FALSE(keepalives.goes_on());
  CHECK(keepalives.answers(9, start + 201ms));
  CHECK_FALSE(keepalives.goes_on());  // the control thread has to know
  CHECK_FALSE(keepalives.due());
}

TEST_CASE("a request of a series without a reply in time ends it") {
  Keepalives keepalives;
  keepalives.begin(series, start);
  keepalives.answers(7, start);
  keepalives.take(start + 100ms);
  CHECK(keepalives.due() == start + 110ms);
  const auto missing = std::get<EchoMissing>(keepalives.take(start + 110ms));
  CHECK(missing.sequence == 8);
  CHECK(missing.sent == start + 100ms);
  CHECK_FALSE(keepalives.due());
  CHECK_FALSE(keepalives.answers(8, start + 100ms));
}

TEST_CASE("only the reply to the last request of a series is one of it") {
  Keepalives keepalives;
  CHECK_FALSE(keepalives.answers(0, {}));
  keepalives.begin(series, start);
  CHECK_FALSE(keepalives.answers(6, start));
  CHECK_FALSE(keepalives.answers(8, start));
  CHECK_FALSE(keepalives.answers(7, start - 1s));  // of an earlier association
  CHECK(keepalives.answers(7, start));
  CHECK_FALSE(keepalives.answers(7, start));
}

TEST_CASE("a request that no others follow ends a series, and its reply is not waited for") {
  Keepalives keepalives;
  keepalives.begin(series, start);
  keepalives.answers(7, start);
  keepalives.begin({20}, start + 50ms);
  CHECK_FALSE(keepalives.due());
  CHECK_FALSE(keepalives.answers(20, start + 50ms));
  CHECK_FALSE(keepalives.goes_on());
}

TEST_CASE("a request of the peer that does not come in time is told once") {
  Keepalives keepalives;
  SendEcho own{1};
  own.asked_within = 110ms;
  keepalives.begin(own, start);
  CHECK(keepalives.due() == start + 110ms);
  keepalives.asked(start + 100ms);
  CHECK(keepalives.due() == start + 210ms);
  keepalives.begin(own, start + 150ms);  // an own request says nothing of the peer
  CHECK(keepalives.due() == start + 210ms);
  own.asked_within = 50ms;  // the round trip is known now
  keepalives.begin(own, start + 155ms);
  CHECK(keepalives.due() == start + 205ms);
  own.asked_within = 110ms;
  keepalives.begin(own, start + 156ms);
  CHECK(keepalives.due() == start + 205ms);
  CHECK(std::holds_alternative<RequestMissing>(keepalives.take(start + 210ms)));
  CHECK_FALSE(keepalives.due());
  keepalives.asked(start + 300ms);
  CHECK(keepalives.due() == start + 410ms);
  keepalives.end();
  CHECK_FALSE(keepalives.due());
  keepalives.asked(start + 400ms);
  CHECK_FALSE(keepalives.due());
}
