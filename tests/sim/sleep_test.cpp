// One machine sleeps. Its clock and the peer's dead-after continue.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("after a long sleep the carrier goes off at once, and comes back without a back-off") {
  const int sleeper = GENERATE(0, 1);
  const auto slept = GENERATE(Duration(5s), Duration(20s), Duration(10h));
  CAPTURE(sleeper, slept.count());
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1300ms);
  world.sleep(sleeper);
  world.run(slept);
  CHECK_FALSE(world.carrier(1 - sleeper));
  CHECK(world.carrier(sleeper));
  world.wake(sleeper);
  CHECK_FALSE(world.carrier(sleeper));
  const Time awake = world.now;
  // An initiator that slept starts a handshake at once. One that was awake is in its back-off.
  const Duration most = sleeper == 0 ? Duration(400ms) : Duration(14s);
  REQUIRE(world.run_until([&] { return world.both_up(); }, most));
  CHECK(world.now - awake <= most);
  CHECK(world.violations.empty());
}

TEST_CASE("a short sleep keeps the carrier on, and causes a probe at once") {
  const int sleeper = GENERATE(0, 1);
  CAPTURE(sleeper);
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1300ms);
  world.sleep(sleeper);
  world.run(2s);
  world.wake(sleeper);
  SimEnd& end = sleeper == 0 ? world.initiator() : world.acceptor();
  const Time before = end.last_heard();
  world.run(3 * Wire::delay);
  CHECK(end.last_heard() > before);
  world.run(10s);
  CHECK(end.carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("an acceptor that restarts while the initiator sleeps gets a new association by a hint") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1300ms);
  world.sleep(0);
  world.kill(1);
  world.run(1s);
  world.start(1);
  world.run(1s);
  world.wake(0);  // within dead-after
  const Time awake = world.now;
  REQUIRE(world.run_until([&] { return world.both_up(); }, 3s));
  CHECK(world.now - awake <= 300ms);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.violations.empty());
}
