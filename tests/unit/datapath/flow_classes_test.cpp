#include "routevpn/datapath/flow_classes.hpp"

#include <vector>

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t packet_cost = 1000;  // with the outer headers
constexpr std::size_t packet_size = packet_cost - FlowClasses::overhead_bytes;
constexpr Duration packet_time{packet_cost * 1'000'000'000 / FlowClasses::sparse_rate};  // 8 ms

// A packet of flow `port`.
Packet packet_of_flow(std::uint16_t port, std::size_t bytes = packet_size) {
  Packet packet = udp_packet(1, bytes);
  store_be16(&packet[20], port);
  return packet;
}

struct Classifier {
  FlowClasses classes;
  Packet packet = packet_of_flow(1);
  bool is_sparse(Time at, bool may = true) { return classes.classify(packet, may, at).sparse; }
  // The class of each of `count` packets, one per interval.
  std::vector<bool> send(int count, Duration interval, Time& at, bool may = true) {
    std::vector<bool> all;
    for (int i = 0; i < count; ++i, at += interval) all.push_back(is_sparse(at, may));
    return all;
  }
};

std::size_t sparse_of(const std::vector<bool>& all) {
  return static_cast<std::size_t>(std::count(all.begin(), all.end(), true));
}

}  // namespace

TEST_CASE("a flow below the rate stays sparse, however long it lasts") {
  Classifier flow;
  Time at = epoch;
  CHECK(sparse_of(flow.send(10'000, packet_time, at)) == 10'000);
}

TEST_CASE("the small flows of the comment are sparse: a voice call, and 1000 64-byte packets/s") {
  Classifier flow;
  Time at = epoch;
  flow.packet = packet_of_flow(1, 200);
  CHECK(sparse_of(flow.send(5000, 20ms, at)) == 5000);
  flow.packet = packet_of_flow(2, 50);
  CHECK(sparse_of(flow.send(5000, 1ms, at)) == 5000);
}

TEST_CASE("a burst is sparse up to 16 KiB with the outer headers, and bulk beyond") {
  Classifier flow;
  Time at = epoch;
  const auto all = flow.send(20, 0s, at);
  constexpr std::size_t fits = FlowClasses::sparse_burst / packet_cost;
  CHECK(sparse_of(all) == fits);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == (i < fits));
}

TEST_CASE("the 10 segments that begin a TCP connection are sparse, a larger super-packet is not") {
  Classifier flow;
  for (int segment = 0; segment < 10; ++segment) {
    flow.packet = packet_of_flow(1, 1500);
    CHECK(flow.is_sparse(epoch));
  }
  flow.packet = packet_of_flow(2, 14'640);
  CHECK(flow.is_sparse(epoch));
  flow.packet = packet_of_flow(3, 16'384);
  CHECK_FALSE(flow.is_sparse(epoch));
}

TEST_CASE("a rate of 125,000 bytes per second is sparse for ever, a little more is not") {
  Classifier flow;
  Time at = epoch;
  CHECK(sparse_of(flow.send(2000, packet_time, at)) == 2000);
  // 10 % above the rate: the burst of 16 packets lasts for some 160.
  const auto all = flow.send(2000, packet_time * 10 / 11, at);
  CHECK(all[100]);
  CHECK_FALSE(all[250]);
  CHECK_FALSE(all.back());
  CHECK(sparse_of(all) < 250);
}

TEST_CASE("flows do not make each other bulk") {
  FlowClasses classes;
  for (int i = 0; i < 100; ++i)
    CHECK(classes.classify(packet_of_flow(1), true, epoch).sparse == (i < 16));
  CHECK(classes.classify(packet_of_flow(2), true, epoch).sparse);
}

TEST_CASE("a bulk flow returns only when its packets have left the bulk way, and its rate is low") {
  Classifier flow;
  Time at = epoch;
  flow.send(1000, 1ms, at);
  const Time last_bulk = at - 1ms;
  SECTION("not without the answer to a later request, however long it waits") {
    CHECK_FALSE(flow.is_sparse(at + 1h));
  }
  SECTION("not with the answer to an earlier request, or one at the same time") {
    flow.classes.bulk_answered(last_bulk - 1ns, 1ms);
    flow.classes.bulk_answered(last_bulk, 1ms);
    CHECK_FALSE(flow.is_sparse(at + 1h));
  }
  SECTION("not while its rate is high") {
    flow.classes.bulk_answered(last_bulk + 1ns, 1ms);
    CHECK_FALSE(flow.is_sparse(at));
    // That packet took the bulk way, too: the answer says nothing of it.
    CHECK_FALSE(flow.is_sparse(at + 1h));
  }
  SECTION("with both") {
    flow.classes.bulk_answered(last_bulk + 1ns, 1ms);
    // It owes at most two bursts. One is paid for after 131 ms, and the packet itself after 8 ms.
    CHECK(flow.is_sparse(at + 150ms));
    CHECK(flow.is_sparse(at + 150ms));
  }
  SECTION("an older answer that arrives late does not take the newer back") {
    flow.classes.bulk_answered(last_bulk + 1ns, 1ms);
    flow.classes.bulk_answered(epoch, 1ms);
    CHECK(flow.is_sparse(at + 150ms));
  }
}

TEST_CASE("while the rate is high, a bulk flow stays bulk though each packet drains") {
  Classifier flow;
  Time at = epoch;
  flow.send(100, 1ms, at);
  for (int i = 0; i < 10'000; ++i, at += 1ms) {
    flow.classes.bulk_answered(at - 1ns, 1ms);
    REQUIRE_FALSE(flow.is_sparse(at));
  }
}

TEST_CASE("a flow whose way was closed has to drain while packets of bulk flows are under way") {
  Classifier flow;
  CHECK_FALSE(flow.is_sparse(epoch, false));
  Time at = epoch;
  const Packet other = packet_of_flow(2);
  for (int i = 0; i < 20; ++i) flow.classes.classify(other, true, at);
  CHECK_FALSE(flow.is_sparse(epoch + 1s));
  flow.classes.bulk_answered(epoch + 1s + 1ns, 1ms);
  CHECK(flow.is_sparse(epoch + 2s));
  CHECK_FALSE(flow.is_sparse(epoch + 3s, false));  // while it is sparse
}

TEST_CASE(
    "without packets of bulk flows under way it returns with the next packet of a steady flow") {
  Classifier flow;
  CHECK_FALSE(flow.is_sparse(epoch, false));
  SECTION("that comes later by the gap") {
    CHECK_FALSE(flow.is_sparse(epoch + FlowClasses::quiet_gap - 1ns));
    CHECK(flow.is_sparse(epoch + 2 * FlowClasses::quiet_gap));
  }
  SECTION("and by what the bulk way's round trip is longer") {
    flow.classes.bulk_answered(epoch - 1s, 40ms);
    flow.classes.sparse_answered(10ms);
    CHECK_FALSE(flow.is_sparse(epoch + FlowClasses::quiet_gap + 29ms));
    CHECK(flow.is_sparse(epoch + FlowClasses::quiet_gap + 29ms + FlowClasses::quiet_gap + 30ms));
  }
}

TEST_CASE("bytes count also while the way is closed") {
  Classifier flow;
  Time at = epoch;
  flow.send(100, 0s, at, false);
  flow.classes.bulk_answered(at + 1ns, 1ms);
  CHECK_FALSE(flow.is_sparse(at + 2ns));
}

TEST_CASE("fragments and packets without a flow are always bulk, and cost no flow its class") {
  FlowClasses classes;
  Packet fragment = packet_of_flow(1);
  store_be16(&fragment[6], 0x2000);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(classes.classify(fragment, true, epoch).sparse);
  const Packet short_one(19, 0x45);
  CHECK_FALSE(classes.classify(short_one, true, epoch).sparse);
  CHECK_FALSE(classes.classify({}, true, epoch).sparse);
  CHECK(classes.classify(packet_of_flow(1), true, epoch).sparse);
}

TEST_CASE("flows that share a slot are one flow, so that neither overtakes itself") {
  // 2^11 slots: among 5000 flows some share the slot of the first.
  FlowClasses classes;
  while (classes.classify(packet_of_flow(1), true, epoch).sparse) continue;
  std::size_t bulk = 0;
  for (std::uint16_t port = 2; port < 5002; ++port) {
    bulk += classes.classify(packet_of_flow(port, 60), true, epoch).sparse ? 0 : 1;
  }
  CHECK(bulk > 0);
  CHECK(bulk < 50);
}
