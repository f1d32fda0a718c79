// Two links on a wire that loses, repeats, reorders and corrupts, thousands of seeds: whatever
// happens, what comes out is what went in, at most once; and when the wire is well again, so is the
// link.

#include <cstdlib>
#include <string>

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

// How many seeds: ROUTEVPN_SEEDS, for the slower sanitizer builds and for long runs by hand.
std::uint64_t seeds(std::uint64_t usual) {
  const char* const wanted = std::getenv("ROUTEVPN_SEEDS");
  return wanted == nullptr ? usual : std::stoull(wanted);
}

Impairments impairments(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto upto = [&](double most) {
    return std::uniform_real_distribution<double>(0, most)(random);
  };
  return {upto(0.3), upto(0.3), upto(0.3), upto(0.3), upto(0.1)};
}

std::string complain(std::uint64_t seed, const std::string& what) {
  return "seed " + std::to_string(seed) + ": " + what;
}

// Empty when all is well. Impaired for the first part, handshake included, then left alone.
std::string play(std::uint64_t seed) {
  World world({seed, {}, 3600s}, identities().initiator, identities().acceptor);
  world.wire.impairments = impairments(seed);
  world.traffic_interval = 50ms;
  world.run(4s);
  world.wire.impairments = {};
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

}  // namespace

TEST_CASE("every seed of loss, duplication, reordering and corruption ends with a working link") {
  std::vector<std::string> failures;
  for (std::uint64_t seed = 1; seed <= seeds(10'000); ++seed) {
    auto failure = play(seed);
    if (!failure.empty()) failures.push_back(std::move(failure));
  }
  CAPTURE(failures.size());
  CHECK(failures.empty());
  if (!failures.empty()) FAIL(failures.front());
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
  world.wire.impairments.loss = 1;
  const Time cut = world.now;
  REQUIRE(world.run_until(
      [&] { return !world.initiator().carrier() && !world.acceptor().carrier(); }, 5s));
  CHECK(world.now - cut <= 3500ms + Wire::delay);
  CHECK(world.now - cut >= 2400ms);
  world.run(3s);
  world.wire.impairments.loss = 0;
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

TEST_CASE("renewals lose no packet, reorder none twice and leave the carrier alone") {
  World world({7, {2000, 4000}, 3600s}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 1ms;
  world.run(60s);
  world.traffic_interval.reset();
  world.run(1s);
  CHECK(world.initiator().session().status(world.now).renewals >= 50);
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
  CHECK(world.initiator().session().status(world.now).renewals == 6);
  CHECK(world.acceptor().carrier_changes == 1);
}
