// The wire's MTU falls and rises under traffic, with and without ICMP messages.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

constexpr unsigned overhead = 20 + 8 + 13 + 8 + 16;  // IPv4, UDP, record header, nonce, tag

bool both_found(World& world, unsigned mtu) {
  return world.initiator().path_mtu == mtu && world.acceptor().path_mtu == mtu;
}

std::uint64_t sent(World& world) {
  return world.initiator().sent_packets + world.acceptor().sent_packets;
}
std::uint64_t delivered(World& world) {
  return world.initiator().delivered_packets + world.acceptor().delivered_packets;
}

// Packets lost after the wire's MTU has changed.
struct Loss {
  Duration until_found{};    // time until both ends have found the new MTU
  std::uint64_t before = 0;  // packets lost until then
  std::uint64_t after = 0;   // packets lost in the 20 s that follow
};
Loss change_mtu(World& world, unsigned mtu) {
  const Time begun = world.now;
  const std::uint64_t missing = sent(world) - delivered(world);
  world.wire.mtu = mtu;
  Loss loss;
  REQUIRE(world.run_until([&] { return both_found(world, mtu); }, 10s));
  loss.until_found = world.now - begun;
  world.run(2 * Wire::delay);
  loss.before = sent(world) - delivered(world) - missing;
  world.run(20s);
  loss.after = sent(world) - delivered(world) - missing - loss.before;
  return loss;
}

}  // namespace

TEST_CASE("a fall of the path MTU under traffic loses packets for at most 0.4 s") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  CHECK(world.initiator().payload_bytes == 1500 - overhead);
  world.traffic_interval = 20ms;
  world.packet_bytes = 1400;
  world.run(5s);
  CHECK(sent(world) - delivered(world) <= 6);  // in flight

  SECTION("with ICMP only packets in flight are lost") {
    const Loss loss = change_mtu(world, 1280);
    CHECK(loss.until_found <= 250ms);
    CHECK(loss.before <= 12);
    CHECK(loss.after <= 6);
  }
  SECTION("without ICMP packets are lost for 0.4 s, until one check has failed") {
    world.icmp = false;
    const Loss loss = change_mtu(world, 1280);
    CHECK(loss.until_found <= 5s);
    CHECK(loss.before <= 2 * 3 * 20 + 6);
    CHECK(loss.after <= 6);
  }
  CHECK(world.initiator().payload_bytes == 1280 - overhead);
  CHECK(world.initiator().path_mtu_changes == 2);
  CHECK(world.acceptor().path_mtu_changes == 2);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);

  // The MTU rises: no packet is lost, and the ends find the new MTU within 10 minutes.
  const auto missing = sent(world) - delivered(world);
  world.wire.mtu = 1500;
  world.traffic_interval = 100ms;
  REQUIRE(world.run_until([&] { return both_found(world, 1500); }, 601s));
  world.run(10s);
  CHECK(sent(world) - delivered(world) <= missing + 2);
  CHECK(world.initiator().path_mtu_changes == 3);
  CHECK(world.violations.empty());
}

TEST_CASE("a rekey starts a search for a larger path MTU at once") {
  World world({}, identities().initiator, identities().acceptor);
  world.wire.mtu = 1400;
  REQUIRE(world.run_until([&] { return both_found(world, 1400); }, 10s));
  world.run(5s);
  world.wire.mtu = 1500;
  world.initiator().replace_identity(identities().initiator);
  CHECK(world.run_until([&] { return both_found(world, 1500); }, 1s));
}

TEST_CASE("a link that comes up again reuses the path MTU found before") {
  World world({}, identities().initiator, identities().acceptor);
  world.icmp = false;
  world.wire.mtu = 1400;
  REQUIRE(world.run_until([&] { return both_found(world, 1400); }, 10s));
  world.run(1s);
  const int changes = world.initiator().path_mtu_changes;
  Impairments all_lost;
  all_lost.drop = 1;
  world.wire.impair(all_lost);
  REQUIRE(world.run_until([&] { return !world.both_up(); }, 5s));
  world.run(5s);
  world.wire.impair({});
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  world.run(10s);
  CHECK(world.initiator().path_mtu == 1400);
  CHECK(world.initiator().path_mtu_changes == changes);
}

TEST_CASE("both ends find the MTU of a path that changes, for every seed") {
  std::vector<std::string> failures;
  for (std::uint64_t seed = 1; seed <= seeds(200); ++seed) {
    std::mt19937_64 random(seed);
    Impairments slight;
    slight.drop = slight.duplicate = slight.reorder = 0.02;
    slight.corrupt = slight.truncate = 0.01;
    World world({seed, {}, 3600s}, identities().initiator, identities().acceptor);
    world.icmp = seed % 2 == 0;
    world.wire.impair(slight);
    world.traffic_interval = 50ms;
    world.run(1s);
    for (int i = 0; i < 3; ++i) {
      world.wire.mtu = 576 + static_cast<unsigned>(random() % 925);
      world.run(Duration(5s) + Duration(random() % 5'000'000'000));
    }
    world.wire.impair({});
    world.run(15s);
    // The MTU may have risen: a rekey starts the search.
    world.initiator().replace_identity(identities().initiator);
    if (!world.run_until([&] { return both_found(world, world.wire.mtu); }, 20s)) {
      failures.push_back("seed " + std::to_string(seed) + ": " + std::to_string(world.wire.mtu) +
                         " is not found; found: " + std::to_string(world.initiator().path_mtu) +
                         " and " + std::to_string(world.acceptor().path_mtu));
    }
    if (!world.violations.empty()) failures.push_back(world.violations.front());
  }
  CAPTURE(failures.size());
  CHECK(failures.empty());
  if (!failures.empty()) FAIL(failures.front());
}
