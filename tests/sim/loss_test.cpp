// Two links on a wire that loses, repeats, reorders and corrupts, thousands of seeds: whatever
// happens, what comes out is what went in, at most once; and when the wire is well again, so is the
// link.

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

// As bad as this seed has it.
Impairments impairments(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto upto = [&](double most) {
    return std::uniform_real_distribution<double>(0, most)(random);
  };
  const auto upto_ms = [&](double most) { return Duration(std::llround(upto(most) * 1e6)); };
  Impairments worst;
  worst.drop = upto(0.3);
  worst.duplicate = upto(0.3);
  worst.reorder = upto(0.3);
  worst.corrupt = upto(0.3);
  worst.truncate = upto(0.1);
  worst.delay = upto_ms(50);
  worst.jitter = upto_ms(50);
  worst.rate = 1e6 + upto(10e6);
  return worst;
}

std::string complain(std::uint64_t seed, const std::string& what) {
  return "seed " + std::to_string(seed) + ": " + what;
}

// Empty when all is well. Impaired for the first part, handshake included, and with every other
// seed another address of the initiator in the middle of it; then left alone.
std::string play(std::uint64_t seed) {
  World world({seed, {}, 3600s}, identities().initiator, identities().acceptor);
  world.wire.impair(impairments(seed));
  world.traffic_interval = 50ms;
  world.run(seed % 4000 * 1ms);
  if (seed % 2 == 1) world.rebind();
  world.run(4s - seed % 4000 * 1ms);
  world.wire.impair({});
  if (!world.run_until([&] { return world.both_up(); }, 40s)) {
    return complain(seed, "the link did not come back");
  }
  world.run(100ms);
  const auto there = world.acceptor().delivered_packets;
  const auto back = world.initiator().delivered_packets;
  world.run(1s);
  if (world.acceptor().delivered_packets < there + 50) return complain(seed, "nothing arrives");
  if (world.initiator().delivered_packets < back + 50) return complain(seed, "nothing comes back");
  if (!world.violations.empty()) return complain(seed, world.violations.front());
  return "";
}

// Renewals one after the other while datagrams overtake each other and come twice: none is lost.
std::string renew(std::uint64_t seed) {
  World world({seed, {100, 100'000}, 3600s}, identities().initiator, identities().acceptor);
  if (!world.run_until([&] { return world.both_up(); }, 1s)) return complain(seed, "not up");
  auto unkind = impairments(seed);
  unkind.drop = unkind.corrupt = unkind.truncate = unkind.rate = 0;
  world.wire.impair(unkind);
  world.traffic_interval = 20ms;
  world.run(6s);
  world.traffic_interval.reset();
  world.run(1s);
  const auto& initiator = world.initiator();
  const auto& acceptor = world.acceptor();
  if (world.initiator().session().status(world.now).rekeys < 5) {
    return complain(seed, "too few rekeys");
  }
  if (acceptor.delivered_packets != initiator.sent_packets ||
      initiator.delivered_packets != acceptor.sent_packets) {
    return complain(seed, "a packet was lost");
  }
  if (initiator.carrier_changes + acceptor.carrier_changes != 2) {
    return complain(seed, "the carrier changed");
  }
  if (!world.violations.empty()) return complain(seed, world.violations.front());
  return "";
}

template <typename Play>
void check_seeds(std::uint64_t usual, Play one) {
  std::vector<std::string> failures;
  for (std::uint64_t seed = 1; seed <= seeds(usual); ++seed) {
    auto failure = one(seed);
    if (!failure.empty()) failures.push_back(std::move(failure));
  }
  CAPTURE(failures.size());
  CHECK(failures.empty());
  if (!failures.empty()) FAIL(failures.front());
}

}  // namespace

TEST_CASE("every seed of loss, duplication, reordering and corruption ends with a working link") {
  check_seeds(10'000, play);
}

TEST_CASE("every seed of rekeys on a wire that loses nothing loses nothing") {
  check_seeds(1'000, renew);
}

TEST_CASE("on a good wire the link is up in three round trips and loses nothing") {
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

TEST_CASE("a silent wire takes the carrier down at dead-after, at both ends, and back up") {
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
  const Time healed = world.now;
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(world.now - healed <= 11s);
}

TEST_CASE("one direction alone going silent takes both carriers down") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.acceptor().stop();
  world.run(2 * Wire::delay);
  CHECK_FALSE(world.acceptor().carrier());
  CHECK_FALSE(world.initiator().carrier());  // told by close_notify, not by silence
}

TEST_CASE("rekeys lose no packet, reorder none twice and leave the carrier alone") {
  World world({7, {2000, 4000}, 3600s}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 1ms;
  world.run(60s);
  world.traffic_interval.reset();
  world.run(1s);
  CHECK(world.initiator().session().status(world.now).rekeys >= 50);
  CHECK(world.acceptor().delivered_packets == world.initiator().sent_packets);
  CHECK(world.initiator().delivered_packets == world.acceptor().sent_packets);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("renewal by time") {
  World world({7, {}, 10s}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(65s);
  CHECK(world.initiator().session().status(world.now).rekeys == 6);
  CHECK(world.acceptor().carrier_changes == 1);
}

TEST_CASE("when the initiator's address changes under traffic, only what was on its way is lost") {
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
  // Until the first datagram from the new address was there.
  const auto lost = world.acceptor().sent_packets - world.initiator().delivered_packets;
  CHECK(lost > 0);
  CHECK(lost <= 3 * (Wire::delay / 1ms + 1));
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
}

TEST_CASE("an idle link follows the initiator's new address within a probe interval") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(5s);
  world.rebind();
  CHECK(world.run_until([&] { return world.acceptor().session().status(world.now).roams == 1; },
                        1s + 2 * Wire::delay));
  world.run(5s);
  CHECK(world.acceptor().carrier_changes == 1);
}
