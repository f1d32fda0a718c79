// The second UDP flow of a link: what takes it, and that nothing waits for it or is lost by it for
// long.
#include <deque>

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;
using datapath::SparseFlow;
using datapath::UdpFlow;

namespace {

// Three packets of 60 bytes each time: 39,000 bytes/s, a sparse inner flow. The pauses are as long
// as a round trip, so no answer comes between two packets.
constexpr Duration interval = 10ms;
constexpr std::size_t small = 60;

struct Sums {
  std::uint64_t sent[2];
  std::uint64_t sparse[2];
  std::uint64_t delivered[2];  // to the other end
};

Sums sums(World& world) {
  SimEnd& a = world.initiator();
  SimEnd& b = world.acceptor();
  return {{a.sent_packets, b.sent_packets},
          {a.sent_sparse(), b.sent_sparse()},
          {b.delivered_packets, a.delivered_packets}};
}

// Traffic for this time, and then a pause in which everything arrives and the bulk way drains.
Sums run(World& world, Duration duration) {
  const Sums before = sums(world);
  world.traffic_interval = interval;
  world.run(duration);
  world.traffic_interval.reset();
  world.run(2500ms);
  Sums all = sums(world);
  for (const int end : {0, 1}) {
    all.sent[end] -= before.sent[end];
    all.sparse[end] -= before.sparse[end];
    all.delivered[end] -= before.delivered[end];
  }
  return all;
}

bool both_found(World& world) {
  return status(world.initiator(), world).sparse && status(world.acceptor(), world).sparse;
}

struct SparseWorld : World {
  explicit SparseWorld(const Settings& settings = {})
      : World(settings, identities().initiator, identities().acceptor) {
    packet_bytes = small;
    REQUIRE(run_until([&] { return both_up() && both_found(*this); }, 1s));
    World::run(1s);
  }
};

void check_all_sparse(World& world) {
  const Sums all = run(world, 5s);
  for (const int end : {0, 1}) {
    CAPTURE(end);
    CHECK(all.sent[end] > 1400);
    CHECK(all.sparse[end] == all.sent[end]);
    CHECK(all.delivered[end] == all.sent[end]);
  }
}

unsigned roams(World& world) {
  return static_cast<unsigned>(status(world.initiator(), world).roams +
                               status(world.acceptor(), world).roams);
}

}  // namespace

TEST_CASE("both ends find the sparse flow within a few round trips, and all small flows take it") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  const Time up = world.now;
  REQUIRE(world.run_until([&] { return both_found(world); }, 1s));
  CHECK(world.now - up <= 6 * Wire::delay);
  CHECK(status(world.initiator(), world).sparse == World::address(1));
  CHECK(status(world.acceptor(), world).sparse == World::address(0, 0, UdpFlow::sparse));
  CHECK(world.acceptor().sparse_peer == World::address(0, 0, UdpFlow::sparse).remote);
  CHECK_FALSE(world.initiator().sparse_peer);
  world.packet_bytes = small;
  world.run(1s);
  check_all_sparse(world);
  CHECK(roams(world) == 0);
  CHECK(world.violations.empty());
}

TEST_CASE("large flows take the bulk flow") {
  SparseWorld world;
  world.packet_bytes = 1300;
  const Sums all = run(world, 5s);
  for (const int end : {0, 1}) {
    CHECK(all.sparse[end] < 50);  // the first burst
    CHECK(all.delivered[end] == all.sent[end]);
  }
}

TEST_CASE("when the sparse flow is cut, packets are lost for its answer time and one interval") {
  SparseWorld world;
  const auto length = GENERATE(Duration(5s), Duration(60s));
  check_all_sparse(world);
  world.traffic_interval = interval;
  world.run(1s);
  const Sums before = sums(world);
  world.sparse_is_cut = true;
  world.run(SparseFlow::request_interval + SparseFlow::least_answer_time + interval);
  const Sums fallen_back = sums(world);
  world.run(length - 2s);
  world.traffic_interval.reset();
  world.run(100ms);
  const Sums after = sums(world);
  for (const int end : {0, 1}) {
    CAPTURE(end);
    const auto sent = after.sent[end] - before.sent[end];
    const auto delivered = after.delivered[end] - before.delivered[end];
    const auto in_time = fallen_back.sent[end] - before.sent[end];
    CHECK(sent - delivered <= in_time);
    CHECK(sent > in_time);
    // Nothing more takes the flow, so nothing is lost after that.
    CHECK(after.sparse[end] == fallen_back.sparse[end]);
  }
  CHECK(world.both_up());
  // With traffic the ends have noticed for good.
  CHECK(both_found(world) == (length < SparseFlow::lost_after));

  world.sparse_is_cut = false;
  world.traffic_interval = interval;
  world.run(length > SparseFlow::lost_after ? 60s : 1s);
  world.traffic_interval.reset();
  world.run(2500ms);
  CHECK(both_found(world));
  check_all_sparse(world);
  CHECK(world.initiator().carrier_changes + world.acceptor().carrier_changes == 2);
  CHECK(roams(world) == 0);
  CHECK(world.violations.empty());
}

TEST_CASE("a path that never carries the sparse flow costs no packet") {
  World world({}, identities().initiator, identities().acceptor);
  world.sparse_is_cut = true;
  world.packet_bytes = small;
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  const Sums all = run(world, 60s);
  for (const int end : {0, 1}) {
    CHECK(all.sparse[end] == 0);
    CHECK(all.delivered[end] == all.sent[end]);
  }
  CHECK_FALSE(both_found(world));
  CHECK(world.initiator().carrier_changes + world.acceptor().carrier_changes == 2);
}

TEST_CASE("a cut of the bulk flow takes the carrier off, though the sparse flow works") {
  SparseWorld world;
  const bool to_initiator = GENERATE(false, true);
  world.bulk_is_cut[to_initiator ? 0 : 1] = true;
  world.traffic_interval = interval;
  CHECK(world.run_until([&] { return !world.both_up(); }, 5s));
}

TEST_CASE("when the initiator's NAT changes both ports, the endpoint moves once, to the first") {
  SparseWorld world;
  const bool traffic = GENERATE(true, false);
  if (traffic) world.traffic_interval = interval;
  world.run(1s);
  for (unsigned round = 1; round <= 5; ++round) {
    world.rebind();
    const auto found = World::address(0, world.rebinds(), UdpFlow::sparse);
    CHECK(world.run_until([&] { return status(world.acceptor(), world).sparse == found; }, 20s));
    world.run(20s);
    CHECK(status(world.acceptor(), world).roams == round);
    CHECK(status(world.acceptor(), world).association->endpoint.remote ==
          World::address(0, world.rebinds()).remote);
    CHECK(world.acceptor().sparse_peer == found.remote);
  }
  world.traffic_interval.reset();
  world.run(2500ms);
  check_all_sparse(world);
  CHECK(status(world.initiator(), world).roams == 0);
  CHECK(world.initiator().carrier_changes + world.acceptor().carrier_changes == 2);
  CHECK(world.violations.empty());
}

TEST_CASE("a rebind under sparse traffic loses no more than what was under way") {
  SparseWorld world;
  world.traffic_interval = interval;
  world.run(1s);
  const Sums before = sums(world);
  world.rebind();
  world.run(10s);
  world.traffic_interval.reset();
  world.run(1s);
  const Sums after = sums(world);
  CHECK(after.delivered[0] - before.delivered[0] >= after.sent[0] - before.sent[0]);
  // The acceptor sends to the old ports until a record comes from a new one.
  const auto sent = after.sent[1] - before.sent[1];
  const auto delivered = after.delivered[1] - before.delivered[1];
  CHECK(sent <= delivered + 2 * Wire::delay / interval + 1);
}

TEST_CASE("the sparse flow comes back after a restart of either end, and no endpoint moves") {
  const int end = GENERATE(0, 1);
  const bool crashes = GENERATE(false, true);
  CAPTURE(end, crashes);
  SparseWorld world;
  world.traffic_interval = interval;
  world.run(1s);
  for (int round = 0; round < 3; ++round) {
    if (crashes) {
      world.crash(end);
    } else {
      world.kill(end);
    }
    world.run(300ms);
    world.start(end);
    REQUIRE(world.run_until([&] { return world.both_up() && both_found(world); }, 20s));
    world.run(5s);
    CHECK(both_found(world));
    CHECK(roams(world) == 0);
  }
  world.traffic_interval.reset();
  world.run(2500ms);
  check_all_sparse(world);
  CHECK(world.violations.empty());
}

TEST_CASE("rekeys lose no packet of the sparse flow and do not interrupt it") {
  World::Settings settings;
  settings.rekey = 2s;
  SparseWorld world(settings);
  world.run(20s);
  const Sums all = run(world, 30s);
  CHECK(status(world.initiator(), world).rekeys >= 20);
  for (const int end : {0, 1}) {
    CHECK(all.delivered[end] == all.sent[end]);
    CHECK(all.sparse[end] == all.sent[end]);
  }
  CHECK(roams(world) == 0);
  CHECK(world.initiator().carrier_changes + world.acceptor().carrier_changes == 2);
  CHECK(world.violations.empty());
}

TEST_CASE("at 20 % loss each way the link does not flap, and the sparse flow stays in use") {
  World::Settings settings;
  settings.seed = GENERATE(range(std::uint64_t{1}, std::uint64_t{6}));
  SparseWorld world(settings);
  world.wire.impair({.drop = 0.2});
  world.traffic_interval = 100ms;
  std::uint64_t found = 0;
  for (int second = 0; second < 600; ++second) {
    world.run(1s);
    found += both_found(world) ? 1U : 0U;
  }
  CHECK(status(world.initiator(), world).flaps + status(world.acceptor(), world).flaps == 0);
  CHECK(roams(world) == 0);
  CHECK(found > 550);
  const Sums all = sums(world);
  for (const int end : {0, 1}) {
    CAPTURE(end, all.sent[end], all.sparse[end]);
    CHECK(all.delivered[end] > all.sent[end] * 7 / 10);
  }
  CHECK(world.violations.empty());
}

TEST_CASE("an attacker who copies every datagram to the second port does not silence the link") {
  SparseWorld world;
  std::deque<std::pair<int, std::vector<std::uint8_t>>> copies;  // with the number of the receiver
  world.observer = [&](int from, ConstBytes datagram) {
    copies.push_back({1 - from, {datagram.begin(), datagram.end()}});
  };
  for (int i = 0; i < 20'000; ++i) {
    world.run(1ms);  // the wire takes 5 ms, so each copy is first
    for (; !copies.empty(); copies.pop_front()) {
      auto& [to, data] = copies.front();
      if (to == 0) {
        world.initiator().receive(std::move(data), World::address(1), UdpFlow::sparse);
      } else {
        world.acceptor().receive(std::move(data), World::address(0, 0, UdpFlow::sparse),
                                 UdpFlow::sparse);
      }
    }
  }
  CHECK(status(world.initiator(), world).flaps + status(world.acceptor(), world).flaps == 0);
  CHECK(roams(world) == 0);
}
