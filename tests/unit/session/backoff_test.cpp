#include "routevpn/session/backoff.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace std::chrono_literals;

TEST_CASE("the back-off doubles from 250 ms to 8 s, plus or minus a quarter") {
  const auto seed = GENERATE(1U, 2U, 3U);
  session::Backoff backoff(seed);
  Duration base = 250ms;
  for (int i = 0; i < 12; ++i) {
    const Duration wait = backoff.next();
    CHECK(wait >= base * 3 / 4);
    CHECK(wait <= base * 5 / 4);
    base = std::min<Duration>(base * 2, 8s);
  }
  backoff.reset();
  CHECK(backoff.next() <= 313ms);
}

TEST_CASE("two seeds give different waits") {
  session::Backoff first(1);
  session::Backoff second(2);
  CHECK(first.next() != second.next());
}
