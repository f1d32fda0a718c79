#include "routevpn/session/backoff.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace std::chrono_literals;

TEST_CASE("waits double from 250 ms to 8 s, a quarter more or less") {
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

TEST_CASE("two seeds do not wait alike") {
  session::Backoff one(1);
  session::Backoff other(2);
  CHECK(one.next() != other.next());
}
