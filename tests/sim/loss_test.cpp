// Two ends on a wire that loses, duplicates, reorders and corrupts datagrams, for thousands of
// seeds. Each packet is delivered unaltered and at most once. The link comes up again when the wire
// is no longer impaired.

#include <algorithm>
#include <cmath>
#include <string>

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

// The same seed gives the same impairments.
Impairments impairments(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto up_to = [&](double most) {
    return std::uniform_real_distribution<double>(0, most)(random);
  };
  const auto up_to_ms = [&](double most) { return Duration(std::llround(up_to(most) * 1e6)); };
  Impairments worst;
  worst.drop = up_to(0.3);
  worst.duplicate = up_to(0.3);
  worst.reorder = up_to(0.3);
  worst.corrupt = up_to(0.3);
  worst.truncate = up_to(0.1);
  worst.delay = up_to_ms(50);
  worst.jitter = up_to_ms(50);
  worst.rate = 1e6 + up_to(10e6);
  return worst;
}

std::string failure(std::uint64_t seed, const std::string& what) {
  return "seed " + std::to_string(seed) + ": " + what;
}

// Returns a failure; empty: none. The wire is impaired for 4 s, handshake included, and then good.
// With every second seed the initiator roams during the 4 s.
// With every third seed the link has a PSK.
std::string recover_from_impairments(std::uint64_t seed) {
  const auto& all = identities();
  const bool psk = seed % 3 == 2;
  World world({seed, {}, 3600s}, psk ? all.initiator_with_psk : all.initiator,
              psk ? all.acceptor_with_psk : all.acceptor);
  world.wire.impair(impairments(seed));
  world.traffic_interval = 50ms;
  world.run(seed % 4000 * 1ms);
  if (seed % 2 == 1) world.rebind();
  world.run(4s - seed % 4000 * 1ms);
  world.wire.impair({});
  if (!world.run_until([&] { return world.both_up(); }, 40s)) {
    return failure(seed, "the link did not come back");
  }
  world.run(100ms);
  const auto to_acceptor = world.acceptor().delivered_packets;
  const auto to_initiator = world.initiator().delivered_packets;
  world.run(1s);
  if (world.acceptor().delivered_packets < to_acceptor + 50)
    return failure(seed, "the acceptor receives too little");
  if (world.initiator().delivered_packets < to_initiator + 50)
    return failure(seed, "the initiator receives too little");
  if (!world.violations.empty()) return failure(seed, world.violations.front());
  return "";
}

// Many rekeys on a wire that duplicates and reorders but loses nothing: no packet is lost.
std::string rekey_without_loss(std::uint64_t seed) {
  World world({seed, {100, 100'000}, 3600s}, identities().initiator, identities().acceptor);
  if (!world.run_until([&] { return world.both_up(); }, 1s)) return failure(seed, "not up");
  auto lossless = impairments(seed);
  lossless.drop = lossless.corrupt = lossless.truncate = lossless.rate = 0;
  world.wire.impair(lossless);
  world.traffic_interval = 20ms;
  world.run(6s);
  world.traffic_interval.reset();
  world.run(1s);
  const auto& initiator = world.initiator();
  const auto& acceptor = world.acceptor();
  if (world.initiator().session().status(world.now).rekeys < 5) {
    return failure(seed, "too few rekeys");
  }
  if (acceptor.delivered_packets != initiator.sent_packets ||
      initiator.delivered_packets != acceptor.sent_packets) {
    return failure(seed, "a packet was lost");
  }
  if (initiator.carrier_changes + acceptor.carrier_changes != 2) {
    return failure(seed, "the carrier changed");
  }
  if (!world.violations.empty()) return failure(seed, world.violations.front());
  return "";
}

template <typename RunSeed>
void check_seeds(std::uint64_t default_count, RunSeed run_seed) {
  std::vector<std::string> failures;
  for (std::uint64_t seed = 1; seed <= seeds(default_count); ++seed) {
    auto failed = run_seed(seed);
    if (!failed.empty()) failures.push_back(std::move(failed));
  }
  CAPTURE(failures.size());
  CHECK(failures.empty());
  if (!failures.empty()) FAIL(failures.front());
}

}  // namespace

TEST_CASE("the link recovers from loss, duplication, reordering and corruption, for every seed") {
  check_seeds(10'000, recover_from_impairments);
}

TEST_CASE("rekeys on a wire without loss lose no packet, for every seed") {
  check_seeds(1'000, rekey_without_loss);
}

TEST_CASE("on a good wire the link is up within four round trips and loses no packet") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  CHECK(world.now - Time{1000h} <= 8 * Wire::delay);
  world.traffic_interval = 10ms;
  world.run(10s);
  world.traffic_interval.reset();
  world.run(1s);
  CHECK(world.acceptor().delivered_packets == world.initiator().sent_packets);
  CHECK(world.initiator().delivered_packets == world.acceptor().sent_packets);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("on a silent wire both carriers go off by dead-after, and come back with the wire") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(5s);
  world.wire.impair({.drop = 1});
  const Time cut = world.now;
  REQUIRE(world.run_until(
      [&] { return !world.initiator().carrier() && !world.acceptor().carrier(); }, 5s));
  CHECK(world.now - cut <= 3500ms + Wire::delay);
  CHECK(world.now - cut >= 2400ms);
  world.run(3s);
  world.wire.impair({});
  const Time restored = world.now;
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(world.now - restored <= 11s);
}

TEST_CASE("a stopped acceptor takes both carriers off at once") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.acceptor().stop();
  world.run(2 * Wire::delay);
  CHECK_FALSE(world.acceptor().carrier());
  CHECK_FALSE(world.initiator().carrier());  // by close_notify, before dead-after
}

TEST_CASE("rekeys under traffic lose no packet, duplicate none and do not move the carrier") {
  World world({7, {2000, 4000}, 3600s}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 1ms;
  const auto parts = seeds(3);  // one with a sanitizer
  world.run(static_cast<int>(parts) * 20s);
  world.traffic_interval.reset();
  world.run(1s);
  CHECK(world.initiator().session().status(world.now).rekeys >= parts * 16);
  CHECK(world.acceptor().delivered_packets == world.initiator().sent_packets);
  CHECK(world.initiator().delivered_packets == world.acceptor().sent_packets);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("an idle link rekeys after each rekey interval") {
  World world({7, {}, 10s}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(65s);
  CHECK(world.initiator().session().status(world.now).rekeys == 6);
  CHECK(world.acceptor().carrier_changes == 1);
}

TEST_CASE("when the initiator roams under traffic, only packets in flight are lost") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 1ms;
  world.run(1s);
  world.rebind();
  world.run(1s);
  world.traffic_interval.reset();
  world.run(1s);
  CHECK(world.acceptor().session().status(world.now).roams == 1);
  CHECK(world.initiator().session().status(world.now).roams == 0);
  CHECK(world.acceptor().delivered_packets == world.initiator().sent_packets);
  // The acceptor sends to the old address until a datagram from the new one arrives.
  const auto lost = world.acceptor().sent_packets - world.initiator().delivered_packets;
  CHECK(lost > 0);
  CHECK(lost <= 3 * (Wire::delay / 1ms + 1));
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
}

TEST_CASE("the acceptor of an idle link follows a roam within one keepalive interval") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(5s);
  world.rebind();
  CHECK(world.run_until([&] { return world.acceptor().session().status(world.now).roams == 1; },
                        1s + 2 * Wire::delay));
  world.run(5s);
  CHECK(world.acceptor().carrier_changes == 1);
}
