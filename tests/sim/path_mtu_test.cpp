// Two links on a wire whose MTU falls and rises under traffic, with ICMP and without.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

constexpr unsigned overhead = 20 + 8 + 13 + 8 + 16;  // IPv4, AES-GCM

bool both_found(World& world, unsigned mtu) {
  return world.initiator().path_mtu == mtu && world.acceptor().path_mtu == mtu;
}

std::uint64_t sent(World& world) {
  return world.initiator().sent_packets + world.acceptor().sent_packets;
}
std::uint64_t delivered(World& world) {
  return world.initiator().delivered_packets + world.acceptor().delivered_packets;
}

// Packets of 1400 bytes, 150 in a second from each end: what is lost from now on until the path
// MTU is found, and what after that.
struct Lost {
  Duration until_found{};
  std::uint64_t before = 0;
  std::uint64_t after = 0;
};
Lost change(World& world, unsigned mtu) {
  const Time begun = world.now;
  const std::uint64_t missing = sent(world) - delivered(world);
  world.wire.mtu = mtu;
  Lost lost;
  REQUIRE(world.run_until([&] { return both_found(world, mtu); }, 10s));
  lost.until_found = world.now - begun;
  world.run(2 * Wire::delay);
  lost.before = sent(world) - delivered(world) - missing;
  world.run(20s);
  lost.after = sent(world) - delivered(world) - missing - lost.before;
  return lost;
}

}  // namespace

TEST_CASE("a path that falls under traffic: what is lost, and for how long") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  CHECK(world.initiator().payload_bytes == 1500 - overhead);
  world.traffic_interval = 20ms;
  world.packet_bytes = 1400;
  world.run(5s);
  CHECK(sent(world) - delivered(world) <= 6);  // under way

  SECTION("with ICMP: what was on its way") {
    const Lost lost = change(world, 1280);
    CHECK(lost.until_found <= 250ms);
    CHECK(lost.before <= 12);
    CHECK(lost.after <= 6);
  }
  SECTION("without: 0.4 s, until one check has failed") {
    world.icmp = false;
    const Lost lost = change(world, 1280);
    CHECK(lost.until_found <= 5s);
    CHECK(lost.before <= 2 * 3 * 20 + 6);
    CHECK(lost.after <= 6);
  }
  CHECK(world.initiator().payload_bytes == 1280 - overhead);
  CHECK(world.initiator().path_mtu_changes == 2);
  CHECK(world.acceptor().path_mtu_changes == 2);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);

  // And rises: nothing is lost, and after ten minutes it is found.
  const auto missing = sent(world) - delivered(world);
  world.wire.mtu = 1500;
  REQUIRE(world.run_until([&] { return both_found(world, 1500); }, 601s));
  world.run(10s);
  CHECK(sent(world) - delivered(world) <= missing + 6);
  CHECK(world.initiator().path_mtu_changes == 3);
  CHECK(world.violations.empty());
}

TEST_CASE("a renewal looks for more at once") {
  World world({}, identities().initiator, identities().acceptor);
  world.wire.mtu = 1400;
  REQUIRE(world.run_until([&] { return both_found(world, 1400); }, 10s));
  world.run(5s);
  world.wire.mtu = 1500;
  world.initiator().replace_identity(identities().initiator);
  CHECK(world.run_until([&] { return both_found(world, 1500); }, 1s));
}

TEST_CASE("a link that comes back remembers its path") {
  World world({}, identities().initiator, identities().acceptor);
  world.icmp = false;
  world.wire.mtu = 1400;
  REQUIRE(world.run_until([&] { return both_found(world, 1400); }, 10s));
  world.run(1s);
  const int changes = world.initiator().path_mtu_changes;
  Impairments everything_lost;
  everything_lost.drop = 1;
  world.wire.impair(everything_lost);
  REQUIRE(world.run_until([&] { return !world.both_up(); }, 5s));
  world.run(5s);
  world.wire.impair({});
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  world.run(10s);
  CHECK(world.initiator().path_mtu == 1400);
  CHECK(world.initiator().path_mtu_changes == changes);
}

TEST_CASE("every seed of a path that changes ends with its MTU, and never invents a packet") {
  std::vector<std::string> failures;
  for (std::uint64_t seed = 1; seed <= seeds(200); ++seed) {
    std::mt19937_64 random(seed);
    Impairments a_little_of_all;
    a_little_of_all.drop = a_little_of_all.duplicate = a_little_of_all.reorder = 0.02;
    a_little_of_all.corrupt = a_little_of_all.truncate = 0.01;
    World world({seed, {}, 3600s}, identities().initiator, identities().acceptor);
    world.icmp = seed % 2 == 0;
    world.wire.impair(a_little_of_all);
    world.traffic_interval = 50ms;
    world.run(1s);
    for (int i = 0; i < 3; ++i) {
      world.wire.mtu = 576 + static_cast<unsigned>(random() % 925);
      world.run(Duration(5s) + Duration(random() % 5'000'000'000));
    }
    world.wire.impair({});
    world.run(15s);
    // It may have risen since: then a renewal looks.
    world.initiator().replace_identity(identities().initiator);
    if (!world.run_until([&] { return both_found(world, world.wire.mtu); }, 20s)) {
      failures.push_back("seed " + std::to_string(seed) + ": " + std::to_string(world.wire.mtu) +
                         " is not found, but " + std::to_string(world.initiator().path_mtu) +
                         " and " + std::to_string(world.acceptor().path_mtu));
    }
    if (!world.violations.empty()) failures.push_back(world.violations.front());
  }
  CAPTURE(failures.size());
  CHECK(failures.empty());
  if (!failures.empty()) FAIL(failures.front());
}
