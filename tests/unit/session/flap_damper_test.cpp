#include "routevpn/session/flap_damper.hpp"

#include <vector>

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

namespace {
const Time damping_start{1000h};
}

TEST_CASE("there is no delay before the first flap, and none ever without --up-delay") {
  FlapDamper damper(500ms);
  CHECK(damper.delay(damping_start) == 0ms);
  FlapDamper off(0ms);
  for (int i = 0; i < 100; ++i) off.carrier_lost(damping_start);
  CHECK(off.delay(damping_start) == 0ms);
}

TEST_CASE("the delay doubles with each flap, to 60 s") {
  FlapDamper damper(1000ms);
  std::vector<Duration> delays;
  for (Time now = damping_start; delays.size() < 9; now += 100s) {
    damper.carrier_lost(now);
    delays.push_back(damper.delay(now));
    CHECK(damper.flaps(now) == delays.size());
  }
  CHECK(delays == std::vector<Duration>{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s, 60s});
  for (int i = 0; i < 10'000; ++i) damper.carrier_lost(damping_start + 1000s);
  CHECK(damper.delay(damping_start + 1000s) == 60s);
}

TEST_CASE("10 minutes without a flap reset the count") {
  FlapDamper damper(1000ms);
  damper.carrier_lost(damping_start);
  damper.carrier_lost(damping_start + 1s);
  CHECK(damper.delay(damping_start + 1s + 10min - 1ns) == 2s);
  CHECK(damper.delay(damping_start + 1s + 10min) == 0s);
  CHECK(damper.flaps(damping_start + 1s + 10min) == 0);
  damper.carrier_lost(damping_start + 20min);
  CHECK(damper.delay(damping_start + 20min) == 1s);
}

TEST_CASE(
    "a failure before the carrier returns does not double the delay but restarts the 10 minutes") {
  FlapDamper damper(1000ms);
  damper.failed_again(damping_start);
  CHECK(damper.delay(damping_start) == 0s);
  damper.carrier_lost(damping_start);
  damper.failed_again(damping_start + 9min);
  CHECK(damper.delay(damping_start + 15min) == 1s);
  damper.failed_again(damping_start + 30min);  // the count is already 0
  CHECK(damper.delay(damping_start + 30min) == 0s);
}
