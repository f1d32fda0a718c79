#include "routevpn/monitor/restart_policy.hpp"

#include "catch.hpp"

using routevpn::Duration;
using routevpn::Time;
using routevpn::monitor::RestartPolicy;
using namespace std::chrono_literals;

TEST_CASE("a worker that dies at once is started after growing delays, and at last not at all") {
  RestartPolicy policy;
  Time now{};
  for (const auto wanted : {0ms, 250ms, 500ms, 1000ms, 2000ms, 4000ms, 8000ms, 8000ms, 8000ms}) {
    const auto delay = policy.on_death(now, now);
    REQUIRE(delay);
    CHECK(*delay == wanted);
    now += *delay;
  }
  CHECK_FALSE(policy.on_death(now, now));
}

TEST_CASE("a worker that lived long enough is started at once") {
  RestartPolicy policy;
  Time now{};
  for (int i = 0; i < 100; ++i) {
    const Time started = now;
    now += 7s;
    CHECK(policy.on_death(started, now) == Duration::zero());
  }
}

TEST_CASE("the delay stays the longest, also after many deaths in a row") {
  RestartPolicy policy;
  Time now{};
  for (int i = 0; i < 40; ++i) {
    const Time started = now;
    now += 4s;
    const auto delay = policy.on_death(started, now);
    REQUIRE(delay);
    if (i >= 6) CHECK(*delay == RestartPolicy::longest_delay);
    now += *delay;
  }
}

TEST_CASE("ten deaths within a minute are too many, also of workers that lived 5 s") {
  RestartPolicy policy;
  Time now{};
  for (int i = 0; i < 9; ++i) {
    now += 5s;
    CHECK(policy.on_death(now - 5s, now));
  }
  CHECK_FALSE(policy.on_death(now, now + 5s));
}
