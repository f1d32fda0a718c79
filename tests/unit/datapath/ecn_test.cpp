// DSCP and ECN of packets that pass two lanes.
#include <initializer_list>

#include "routevpn/inside/checksum.hpp"

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;

namespace {

constexpr std::uint8_t not_ect = 0;
constexpr std::uint8_t ect_1 = 1;
constexpr std::uint8_t ect_0 = 2;
constexpr std::uint8_t congested = 3;
constexpr std::uint8_t ef = 0x2e << 2;

Packet packet_of_class(std::uint8_t traffic_class, std::uint8_t serial = 1,
                       std::size_t length = 100) {
  Packet packet = udp_packet(serial, length);
  packet[1] = traffic_class;
  const auto sum = static_cast<std::uint16_t>(~inside::checksum_add(ConstBytes(packet).first(20)));
  store_be16(&packet[10], sum);
  return packet;
}

struct Sent {
  std::size_t bytes;
  std::uint8_t traffic_class;
  bool operator==(const Sent&) const = default;
};

// The runs of 100-byte packets of these classes.
std::vector<Sent> runs(End& end, std::initializer_list<std::uint8_t> classes) {
  for (const std::uint8_t each : classes) {
    auto packet = packet_of_class(each);
    end.lane.from_inside({}, packet, 1400, epoch);
  }
  std::vector<Sent> sent;
  for (const auto& run : end.lane.seal(epoch)) {
    sent.push_back({run.bytes / run.segment_bytes, run.traffic_class});
  }
  end.lane.sent();
  return sent;
}

}  // namespace

TEST_CASE("a run has one traffic class") {
  LanePair pair;
  CHECK(runs(pair.a, {ect_0, ect_0, ect_0}) == std::vector<Sent>{{3, ect_0}});
  CHECK(runs(pair.a, {ect_0, not_ect, not_ect, ect_1}) ==
        std::vector<Sent>{{1, ect_0}, {2, not_ect}, {1, ect_1}});
  // The class of the outer header decides; DSCP is not copied here.
  CHECK(runs(pair.a, {ef | ect_0, ect_0}) == std::vector<Sent>{{2, ect_0}});
}

TEST_CASE("the outer header has the option's DSCP and the inner ECN") {
  const auto [dscp, inner, outer] =
      GENERATE(table<std::optional<std::uint8_t>, std::uint8_t, std::uint8_t>({
          {0, ef | congested, congested},
          {0, ef, 0},
          {63, ef | ect_1, 63 << 2 | ect_1},
          {10, not_ect, 10 << 2},
          {std::nullopt, ef | ect_0, ef | ect_0},
          {std::nullopt, 0, 0},
      }));
  CAPTURE(inner, outer);
  End end(east, {OuterClass(dscp)});
  end.install(1, keys(1).initiator, true);
  CHECK(runs(end, {inner}) == std::vector<Sent>{{1, outer}});
}

TEST_CASE("outer headers to a plain peer are not-ECT, because it would lose the marks") {
  End end(east, {OuterClass(std::nullopt)});
  auto plain = keys(1).initiator;
  plain.control_messages = false;
  end.install(1, plain, true);
  CHECK(runs(end, {ef | ect_0, ef | congested}) == std::vector<Sent>{{2, ef}});
}

TEST_CASE("control messages and alerts have the option's DSCP, 0 with copy, and no ECN") {
  const auto [dscp, outer] = GENERATE(
      table<std::optional<std::uint8_t>, std::uint8_t>({{48, 48 << 2}, {std::nullopt, 0}}));
  End end(east, {OuterClass(dscp)});
  end.install(1, keys(1).initiator, true);
  runs(end, {ef | ect_0});
  end.command(SendControl{});
  end.command(SendAlert{1, 0});
  const auto sent = end.lane.control_runs();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].traffic_class == outer);
  CHECK(sent[1].traffic_class == outer);
}

TEST_CASE("a congestion mark outside is copied to the packet, or a not-ECT packet is dropped") {
  LanePair pair;
  const auto arrives = [&](std::uint8_t inner, std::uint8_t outer) {
    return pair.b.receive(pair.a.send(packet_of_class(inner))[0], west, epoch, outer);
  };
  CHECK(arrives(ef | ect_0, congested) == std::vector<Packet>{packet_of_class(ef | congested)});
  CHECK(arrives(ect_1, congested) == std::vector<Packet>{packet_of_class(congested)});
  CHECK(arrives(ect_0, ect_1) == std::vector<Packet>{packet_of_class(ect_1)});
  CHECK(arrives(ect_0, not_ect) == std::vector<Packet>{packet_of_class(ect_0)});
  CHECK(arrives(not_ect, ect_0) == std::vector<Packet>{packet_of_class(not_ect)});
  CHECK(pair.b.drops(Drop::payload_not_ect) == 0);
  CHECK(arrives(ef, congested).empty());
  CHECK(pair.b.drops(Drop::payload_not_ect) == 1);
}

TEST_CASE("a congestion mark on a control message does not drop it") {
  LanePair pair;
  pair.a.command(SendControl{{ControlMessage::Kind::echo_request, 77}});
  pair.b.receive(pair.a.control().at(0), west, epoch, congested);
  CHECK(pair.b.control().size() == 1);
  CHECK(pair.b.drops(Drop::payload_not_ect) == 0);
}
