// A peer that was killed and has forgotten everything is taken back before anybody would have
// noticed; and nobody else can pretend that it was.

#include "routevpn/session/restart_hint.hpp"

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

const std::vector<std::uint8_t> hint(session::restart_hint.begin(), session::restart_hint.end());

}  // namespace

TEST_CASE("a restarted acceptor has its link back while the initiator never lost the carrier") {
  const bool traffic = GENERATE(true, false);
  const auto away = GENERATE(Duration(0ms), Duration(300ms), Duration(1500ms));
  CAPTURE(traffic, away.count());
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(2300ms);
  if (traffic) world.traffic_interval = 10ms;
  world.run(500ms);
  world.kill(1);
  world.run(away);
  world.start(1);
  const Time ready = world.now;
  REQUIRE(world.run_until([&] { return world.both_up(); }, 3s));
  // To the next data or probe, doubt and handshake come on top.
  const Duration next = traffic ? 10ms : away > 1s ? Duration(250ms) : Duration(1s);
  CHECK(world.now - ready <= next + session::Session::least_doubt + 12 * Wire::delay);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(status(world.initiator(), world).flaps == 0);
  CHECK(status(world.initiator(), world).hints_taken == 1);
  CHECK(status(world.acceptor(), world).hints_given == 1);
  const auto back = world.initiator().delivered_packets;
  const auto there = world.acceptor().delivered_packets;
  world.traffic_interval = 10ms;
  world.run(1s);
  CHECK(world.initiator().delivered_packets > back + 250);
  CHECK(world.acceptor().delivered_packets > there + 250);
  world.run(15s);  // past the old association's end
  CHECK(world.both_up());
  CHECK(status(world.initiator(), world).handshakes == 2);
  CHECK(world.violations.empty());
}

TEST_CASE("an acceptor that crashes again and again is back as soon each time") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 10ms;
  world.run(1s);
  for (int i = 0; i < 5; ++i) {
    world.kill(1);
    world.run(50ms);
    world.start(1);
    REQUIRE(world.run_until([&] { return world.both_up(); }, 300ms));
  }
  CHECK(status(world.initiator(), world).hints_taken == 5);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("an acceptor that crashes in the middle of a renewal is back as soon") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 10ms;
  world.run(2s);
  int answers = 0;  // ServerHello and what follows it
  world.observer = [&](int from, ConstBytes datagram) {
    if (from == 1 && datagram[0] == 22 && datagram.size() > 200) ++answers;
  };
  world.initiator().session().replace_identity(identities().initiator, world.now);
  world.initiator().settle();
  REQUIRE(world.run_until([&] { return answers > 0; }, 1s));
  world.run(Wire::delay - 1ms);
  world.kill(1);
  world.run(100ms);
  world.start(1);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 300ms));
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(status(world.initiator(), world).hints_taken == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("a restarted initiator comes back by itself, the acceptor keeps its carrier") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 10ms;
  world.run(5s);
  world.kill(0);
  world.run(500ms);
  world.start(0);
  const Time ready = world.now;
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  CHECK(world.now - ready <= 8 * Wire::delay);
  CHECK(world.acceptor().carrier_changes == 1);
  // What the acceptor sent meanwhile met an initiator without keys: it says nothing about that.
  CHECK(world.initiator().drops(Drop::record_no_keys) > 0);
  CHECK(status(world.initiator(), world).hints_given == 0);
  CHECK(world.violations.empty());
}

TEST_CASE("a forged hint costs a probe and changes nothing, from the peer's address too") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(500ms);
  SimEnd& initiator = world.initiator();
  const auto from_peer = [&] {
    const auto refused = initiator.drops(Drop::plaintext_alert);
    initiator.receive(hint);
    world.run(200ms);
    return initiator.drops(Drop::plaintext_alert) - refused;
  };
  CHECK(from_peer() == 1);
  for (int i = 0; i < 50; ++i) CHECK(from_peer() == 1);
  CHECK(status(initiator, world).hints_taken == 0);
  CHECK(status(initiator, world).handshakes == 1);
  // To the acceptor it means nothing at all: no answer, no change.
  world.acceptor().receive(hint);
  world.run(200ms);
  CHECK(world.acceptor().drops(Drop::plaintext_alert) == 1);
  CHECK(status(world.acceptor(), world).handshakes == 1);
  CHECK(world.both_up());
  CHECK(initiator.carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("a hint while the peer is silent makes one handshake beside the live association") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(500ms);
  world.wire.impair({.drop = 1});
  SimEnd& initiator = world.initiator();
  initiator.receive(hint);
  world.run(100ms);
  CHECK(status(initiator, world).hints_taken == 1);
  for (int i = 0; i < 10; ++i) initiator.receive(hint);  // one handshake is under way already
  CHECK(initiator.drops(Drop::plaintext_alert) == 10);
  world.wire.impair({});
  world.run(5s);
  // The acceptor was alive all the time: the two associations changed over without a word.
  CHECK(world.both_up());
  CHECK(initiator.carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(status(initiator, world).handshakes == 2);
  CHECK(status(initiator, world).hints_taken == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("data without keys is answered once a second, to those who may, and never in a loop") {
  // A stranger's record, well formed.
  std::vector<std::uint8_t> data(datapath::least_data_record, 0);
  data[0] = 23;
  data[1] = 0xfe;
  data[2] = 0xfd;
  data[4] = 1;
  data[12] = static_cast<std::uint8_t>(data.size() - 13);
  World world({}, identities().initiator, identities().acceptor);
  world.kill(0);
  world.run(10s);
  const auto given = [&] { return status(world.acceptor(), world).hints_given; };
  for (int i = 0; i < 30; ++i) {
    world.acceptor().receive(data);
    world.run(100ms);
  }
  CHECK(given() == 3);
  world.run(5s);
  const auto before = given();
  const auto silent = [&](std::vector<std::uint8_t> record) {
    world.acceptor().receive(std::move(record));
    world.run(1s);
    CHECK(given() == before);
  };
  silent(hint);
  auto other = data;
  other[0] = 21;  // an alert, sealed
  silent(other);
  other = data;
  other.pop_back();
  --other[12];
  silent(other);  // no room for a byte of data
  other = data;
  other[4] = 0;
  silent(other);
  silent({22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 1, 0});
  world.acceptor().receive(data);
  CHECK(given() == before + 1);
}
