// --up-delay: each flap delays the return of the carrier further, and the status reports the delay.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

// Cuts the wire until both carriers are off, then restores it. Returns the time from the
// initiator's new association to its carrier.
Duration flap(World& world) {
  const auto status = [&] { return world.initiator().session().status(world.now); };
  world.wire.impair({.drop = 1});
  REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 8s));
  world.wire.impair({});
  REQUIRE(world.run_until([&] { return status().association.has_value(); }, 20s));
  const Time associated = world.now;
  REQUIRE(world.run_until([&] { return world.both_up(); }, 61s));
  CHECK(status().reason.word == "connected");
  CHECK_FALSE(status().damping);
  return world.now - associated;
}

}  // namespace

TEST_CASE("the first carrier has no delay, and each flap delays the carrier longer, up to 60 s") {
  World world({1, {}, 3600s, 1000ms}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  CHECK(world.now - Time{1000h} <= 8 * Wire::delay);
  for (const Duration expected : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    const Duration took = flap(world);
    CHECK(took >= expected - 2 * Wire::delay);
    CHECK(took <= expected + 2 * Wire::delay);
    world.run(30s);
  }
  world.run(10min);
  CHECK(flap(world) <= 1s + 2 * Wire::delay);
  CHECK(world.violations.empty());
}

TEST_CASE("without --up-delay a flap does not delay the carrier") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  for (int i = 0; i < 5; ++i) {
    CHECK(flap(world) <= 2 * Wire::delay);
    world.run(1s);
  }
}

TEST_CASE("the status of a damped link shows reason and end, and a failure restarts the delay") {
  World world({1, {}, 3600s, 5000ms}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  const auto status = [&] { return world.initiator().session().status(world.now); };
  const auto is_damped = [&] { return status().phase == session::Phase::damped; };
  world.wire.impair({.drop = 1});
  REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 8s));
  world.wire.impair({});
  REQUIRE(world.run_until(is_damped, 20s));
  CHECK(status().reason.word == "damped");
  CHECK(status().reason.text ==
        "connected; after 1 flap the carrier waits for 5000 ms without another");
  REQUIRE(status().damping);
  CHECK(status().damping->flaps == 1);
  CHECK(status().damping->since == world.now);
  CHECK(status().damping->until == world.now + 5s);
  CHECK(session::public_state(status().phase) == "connecting");
  world.run(3s);
  CHECK(is_damped());
  CHECK_FALSE(world.carrier(0));

  // A failure of the damped link is no flap, but it restarts the delay. The carrier stays off in
  // between, although the first delay ends before the silence has lasted for dead-after.
  world.wire.impair({.drop = 1});
  REQUIRE(world.run_until([&] { return status().phase == session::Phase::backing_off; }, 5s));
  CHECK_FALSE(status().damping);
  CHECK(status().flaps == 1);
  world.wire.impair({});
  REQUIRE(world.run_until(is_damped, 20s));
  CHECK(status().damping->flaps == 1);
  CHECK(status().damping->until == world.now + 5s);
  REQUIRE(world.run_until([&] { return world.carrier(0); }, 6s));
  CHECK(world.initiator().carrier_changes == 3);
  CHECK(world.violations.empty());
}

TEST_CASE("rekeys of a damped link happen on time and do not shorten the delay") {
  World world({1, {}, 10s, 60000ms}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.wire.impair({.drop = 1});
  REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 8s));
  world.wire.impair({});
  const auto status = [&] { return world.initiator().session().status(world.now); };
  REQUIRE(world.run_until([&] { return status().phase == session::Phase::damped; }, 20s));
  const Time since = world.now;
  const auto rekeys = status().rekeys;
  REQUIRE(world.run_until([&] { return world.carrier(0); }, 70s));
  CHECK(world.now - since == 60s);
  CHECK(status().rekeys == rekeys + 5);
}
