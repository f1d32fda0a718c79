// An end moves to another process: associations, carrier and path MTU go on, and no nonce is used
// twice.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/record_watch.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

// Watches what each end seals. The numbers of an end's two processes are checked as those of one.
struct Watched {
  explicit Watched(World& observed) {
    observed.observer = [this, &observed](int from, ConstBytes datagram) {
      watch[from].check(datagram, observed.violations);
    };
  }
  RecordWatch watch[2];
};

void begin_traffic(World& world) {
  REQUIRE(world.run_until([&] { return world.both_up(); }, 2s));
  world.traffic_interval = 10ms;
  world.run(2s);
}

}  // namespace

TEST_CASE("a hand-over of either end changes nothing that the peer or a user can see") {
  const int end = GENERATE(0, 1);
  CAPTURE(end);
  World world({}, identities().initiator, identities().acceptor);
  Watched watched(world);
  begin_traffic(world);
  SimEnd* const ends[2] = {&world.initiator(), &world.acceptor()};
  const auto before = status(*ends[end], world);
  const auto peer_before = status(*ends[1 - end], world);
  for (int i = 0; i < 5; ++i) {
    world.hand_over(end);
    world.run(100ms);
  }
  SimEnd& successor = end == 0 ? world.initiator() : world.acceptor();
  const auto after = status(successor, world);
  CHECK(after.handshakes == before.handshakes);
  CHECK(after.rekeys == 0);
  CHECK(after.flaps == 0);
  CHECK(after.since == before.since);
  REQUIRE(after.association);
  CHECK(after.association->established == before.association->established);
  CHECK(after.association->peer.fingerprint == before.association->peer.fingerprint);
  CHECK(after.association->endpoint == before.association->endpoint);
  CHECK(after.sparse == before.sparse);
  CHECK(after.path.last);
  CHECK(successor.carrier_changes == 1);
  CHECK(successor.path_mtu == 1500);
  const auto peer = status(end == 0 ? world.acceptor() : world.initiator(), world);
  CHECK(peer.handshakes == peer_before.handshakes);
  CHECK(peer.flaps == 0);
  CHECK(peer.roams == 0);
  CHECK(peer.hints_taken == 0);
  world.traffic_interval.reset();
  world.run(1s);
  CHECK(world.acceptor().delivered_packets == world.initiator().sent_packets);
  CHECK(world.initiator().delivered_packets == world.acceptor().sent_packets);
  CHECK(world.violations.empty());
}

TEST_CASE("after hand-overs of both ends rekeys, detection and the gasp work") {
  World::Settings settings;
  settings.rekey = 60s;
  World world(settings, identities().initiator, identities().acceptor);
  Watched watched(world);
  begin_traffic(world);
  for (const int end : {0, 1}) world.hand_over(end);
  world.run(100s);
  CHECK(status(world.initiator(), world).rekeys >= 1);
  CHECK(status(world.acceptor(), world).rekeys >= 1);
  CHECK(world.initiator().carrier_changes == 1);
  for (const int end : {0, 1}) world.hand_over(end);
  world.run(10s);
  world.crash(1);
  REQUIRE(world.run_until([&] { return !world.carrier(0); }, 1s));
  world.start(1);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 2s));
  for (const int end : {0, 1}) world.hand_over(end);
  world.run(1s);
  world.cut(0);
  world.cut(1);
  REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 6s));
  CHECK(world.violations.empty());
}

TEST_CASE("a cut just after a hand-over is detected as fast as another") {
  const int end = GENERATE(0, 1);
  const Duration phase = GENERATE(0ms, 30ms, 60ms, 99ms, 500ms);
  CAPTURE(end, phase.count());
  World::Settings settings;
  options::LinkOptions options;
  options.detection = options::Detection::fast;
  settings.detection = session::Detection::of(options);
  World world(settings, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 2s));
  world.run(5s + phase);
  world.hand_over(end);
  world.wire.impair({.drop = 1});
  const Time cut = world.now;
  REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 6s));
  CHECK(world.now - cut <= 350ms + 2 * Wire::delay);
  CHECK(world.violations.empty());
}

TEST_CASE("a hand-over during a rekey begins the rekey again") {
  const int end = GENERATE(0, 1);
  CAPTURE(end);
  World world({}, identities().initiator, identities().acceptor);
  Watched watched(world);
  begin_traffic(world);
  world.initiator().replace_identity(identities().initiator);
  world.run(Wire::delay + 1ms);
  world.hand_over(end);
  REQUIRE(world.run_until([&] { return status(world.initiator(), world).rekeys == 1; }, 60s));
  world.run(20s);
  CHECK(world.both_up());
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE(
    "an end without an association hands over nothing, and its successor starts without a state") {
  const int end = GENERATE(0, 1);
  World world({}, identities().initiator, identities().acceptor);
  world.kill(1 - end);
  world.run(3s);
  world.hand_over(end);
  world.run(100ms);
  world.start(1 - end);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 20s));
  CHECK(world.violations.empty());
}

TEST_CASE("a path MTU and a damped carrier go on in the next process") {
  World::Settings settings;
  settings.up_delay = 10s;
  World world(settings, identities().initiator, identities().acceptor);
  world.wire.mtu = 1400;
  begin_traffic(world);
  CHECK(world.initiator().path_mtu == 1400);
  world.crash(1);
  world.run(1s);
  world.start(1);
  const auto damped = [&] { return status(world.initiator(), world).damping.has_value(); };
  REQUIRE(world.run_until(damped, 5s));
  const auto until = status(world.initiator(), world).damping->until;
  world.hand_over(0);
  CHECK(world.initiator().path_mtu == 1400);
  REQUIRE(damped());
  CHECK(status(world.initiator(), world).damping->until == until);
  REQUIRE(world.run_until([&] { return world.carrier(0); }, 15s));
  CHECK(world.now >= until);
  CHECK(world.violations.empty());
}
