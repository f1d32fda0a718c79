// A machine that sleeps: its clock goes on, and so does the peer's timeout.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("after a long sleep the carrier goes at once, and comes back without waiting") {
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
  // The initiator that slept tries at once; the one that did not is somewhere in its backoff.
  const Duration most = sleeper == 0 ? Duration(400ms) : Duration(14s);
  REQUIRE(world.run_until([&] { return world.both_up(); }, most));
  CHECK(world.now - awake <= most);
  CHECK(world.violations.empty());
}

TEST_CASE("a short sleep is survived, and the peer asked at once") {
  const int sleeper = GENERATE(0, 1);
  CAPTURE(sleeper);
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1300ms);
  world.sleep(sleeper);
  world.run(2s);
  world.wake(sleeper);
  SimEnd& end = sleeper == 0 ? world.initiator() : world.acceptor();
  const Time before = end.heard();
  world.run(3 * Wire::delay);
  CHECK(end.heard() > before);
  world.run(10s);
  CHECK(end.carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("a peer that gave us up while we slept is met with a new handshake, not with silence") {
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
