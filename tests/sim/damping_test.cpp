// --up-delay: a link that flaps gets its carrier back later each time, and says so.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

// Cuts the wire until both carriers are gone, and mends it: how long the initiator's association
// then worked before its carrier came back.
Duration flap(World& world) {
  const auto status = [&] { return world.initiator().session().status(world.now); };
  world.wire.impair({.drop = 1});
  REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 8s));
  world.wire.impair({});
  REQUIRE(world.run_until([&] { return status().association.has_value(); }, 20s));
  const Time works = world.now;
  REQUIRE(world.run_until([&] { return world.both_up(); }, 61s));
  CHECK(status().reason.word == "connected");
  CHECK_FALSE(status().damping);
  return world.now - works;
}

}  // namespace

TEST_CASE("the carrier comes at once at first, and after flaps later and later") {
  World world({1, {}, 3600s, 1000ms}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  CHECK(world.now - Time{1000h} <= 8 * Wire::delay);
  for (const Duration wanted : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    const Duration took = flap(world);
    CHECK(took >= wanted - 2 * Wire::delay);
    CHECK(took <= wanted + 2 * Wire::delay);
    world.run(30s);
  }
  world.run(10min);
  CHECK(flap(world) <= 1s + 2 * Wire::delay);
  CHECK(world.violations.empty());
}

TEST_CASE("without --up-delay a flap has no consequence") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  for (int i = 0; i < 5; ++i) {
    CHECK(flap(world) <= 2 * Wire::delay);
    world.run(1s);
  }
}

TEST_CASE("a damped link says why and until when, and starts again when it fails meanwhile") {
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

  // It fails again: no flap, but the time begins anew. The carrier does not come back in between,
  // although it would be due before the silence has lasted for dead-after.
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

TEST_CASE("renewals go on while the carrier is held back, and do not bring it back earlier") {
  World world({1, {}, 10s, 60000ms}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.wire.impair({.drop = 1});
  REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 8s));
  world.wire.impair({});
  const auto status = [&] { return world.initiator().session().status(world.now); };
  REQUIRE(world.run_until([&] { return status().phase == session::Phase::damped; }, 20s));
  const Time since = world.now;
  const auto renewals = status().renewals;
  REQUIRE(world.run_until([&] { return world.carrier(0); }, 70s));
  CHECK(world.now - since == 60s);
  CHECK(status().renewals == renewals + 5);
}
