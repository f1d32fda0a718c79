// A crashed end's monitor sends its gasp: the peer takes its carrier off at once.
#include "catch.hpp"
#include "identities.hpp"
#include "world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

void bring_up(World& world) {
  REQUIRE(world.run_until([&] { return world.both_up(); }, 2s));
  world.traffic_interval = 10ms;
  world.run(1s);
}

}  // namespace

TEST_CASE("a crash of either end takes the other's carrier off within one way's delay") {
  const int end = GENERATE(0, 1);
  CAPTURE(end);
  World world({}, identities().initiator, identities().acceptor);
  bring_up(world);
  const Time crashed = world.now;
  world.crash(end);
  REQUIRE(world.run_until([&] { return !world.carrier(1 - end); }, 1s));
  CHECK(world.now - crashed <= 2 * Wire::delay);
  // The next worker starts while gasps are still under way. They do not end its association.
  world.run(30ms);
  world.start(end);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 2s));
  CHECK(status(end == 0 ? world.acceptor() : world.initiator(), world).flaps == 1);
  world.run(20s);
  CHECK(world.both_up());
  CHECK(world.violations.empty());
}

TEST_CASE("the gasp is that of the association in use, also after rekeys and roams") {
  World::Settings settings;
  settings.rekey = 5s;
  World world(settings, identities().initiator, identities().acceptor);
  bring_up(world);
  world.run(7s);
  world.rebind();
  world.run(2s);
  REQUIRE(world.both_up());
  CHECK(status(world.acceptor(), world).rekeys >= 1);
  const Time crashed = world.now;
  world.crash(1);
  REQUIRE(world.run_until([&] { return !world.carrier(0); }, 1s));
  CHECK(world.now - crashed <= 2 * Wire::delay);
  CHECK(world.violations.empty());
}

TEST_CASE("with 20 % loss a crash is seen within 150 ms in nearly all of 200 crashes") {
  int seen = 0;
  for (int i = 0; i < 200; ++i) {
    World world({.seed = static_cast<std::uint64_t>(i + 1), .limits = {}}, identities().initiator,
                identities().acceptor);
    bring_up(world);
    Impairments lossy;
    lossy.drop = 0.2;
    world.wire.impair(lossy);
    world.crash(1);
    if (world.run_until([&] { return !world.carrier(0); }, 160ms + Wire::delay)) ++seen;
    CHECK(world.violations.empty());
  }
  CHECK(seen >= 198);  // 0.2^4 is 0.16 %
}

TEST_CASE("an end without an association has no gasp, and neither has one that stops as asked") {
  World world({}, identities().initiator, identities().acceptor);
  bring_up(world);
  CHECK(world.initiator().gasp.gasp.bytes != 0);
  CHECK(world.acceptor().gasp.gasp.bytes != 0);
  world.initiator().stop();
  CHECK(world.initiator().gasp.gasp.bytes == 0);
  world.run(500ms);
  CHECK(world.initiator().gasp.gasp.bytes == 0);
  CHECK(world.acceptor().gasp.gasp.bytes == 0);
}
