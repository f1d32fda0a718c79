#include "routevpn/session/takeovers.hpp"

#include "catch.hpp"

using namespace routevpn;
using session::Takeovers;
using namespace std::chrono_literals;

namespace {

constexpr Time first_takeover{std::chrono::hours(1000)};

}  // namespace

TEST_CASE("three takeovers within a minute cause a warning") {
  Takeovers takeovers;
  CHECK_FALSE(takeovers.count(first_takeover));
  CHECK_FALSE(takeovers.count(first_takeover + 30s));
  CHECK(takeovers.count(first_takeover + 60s));
  CHECK(takeovers.total() == 3);
  CHECK(takeovers.certificate_shared(first_takeover + 10min));
  CHECK_FALSE(takeovers.certificate_shared(first_takeover + 60s + Takeovers::memory));
}

TEST_CASE("three takeovers in more than a minute cause no warning") {
  Takeovers takeovers;
  for (int i = 0; i < 10; ++i) CHECK_FALSE(takeovers.count(first_takeover + i * 31s));
  CHECK(takeovers.total() == 10);
  CHECK_FALSE(takeovers.certificate_shared(first_takeover + 280s));
}

TEST_CASE("takeovers that go on cause one warning per minute") {
  Takeovers takeovers;
  int warnings = 0;
  for (int i = 0; i < 120; ++i) warnings += takeovers.count(first_takeover + i * 5s) ? 1 : 0;
  CHECK(warnings == 10);
}
