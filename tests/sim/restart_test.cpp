// A killed and restarted peer gets a new association before dead-after. A forged restart hint
// changes nothing.

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

TEST_CASE("a restarted acceptor gets a new association, and the initiator's carrier stays on") {
  const bool traffic = GENERATE(true, false);
  const auto downtime = GENERATE(Duration(0ms), Duration(300ms), Duration(1500ms));
  CAPTURE(traffic, downtime.count());
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(2300ms);
  if (traffic) world.traffic_interval = 10ms;
  world.run(500ms);
  world.kill(1);
  world.run(downtime);
  world.start(1);
  const Time ready = world.now;
  REQUIRE(world.run_until([&] { return world.both_up(); }, 3s));
  // The wait for the next data or probe, then the restart check, then the handshake.
  const Duration next = traffic ? 10ms : downtime > 1s ? Duration(250ms) : Duration(1s);
  CHECK(world.now - ready <= next + session::RestartCheck::least_wait + 12 * Wire::delay);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(status(world.initiator(), world).flaps == 0);
  CHECK(status(world.initiator(), world).hints_taken == 1);
  CHECK(status(world.acceptor(), world).hints_given == 1);
  const auto to_initiator = world.initiator().delivered_packets;
  const auto to_acceptor = world.acceptor().delivered_packets;
  world.traffic_interval = 10ms;
  world.run(1s);
  CHECK(world.initiator().delivered_packets > to_initiator + 250);
  CHECK(world.acceptor().delivered_packets > to_acceptor + 250);
  world.run(15s);  // longer than the old association is kept
  CHECK(world.both_up());
  CHECK(status(world.initiator(), world).handshakes == 2);
  CHECK(world.violations.empty());
}

TEST_CASE("an acceptor that crashes 5 times is back within 300 ms each time") {
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

TEST_CASE("an acceptor that crashes during a rekey is back within 300 ms") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 10ms;
  world.run(2s);
  int answers = 0;  // flights that begin with ServerHello
  world.observer = [&](int from, ConstBytes datagram) {
    if (from == 1 && datagram[0] == 22 && datagram.size() > 200) ++answers;
  };
  world.initiator().replace_identity(identities().initiator);
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

TEST_CASE("a restarted initiator gets a new association, and the acceptor's carrier stays on") {
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
  // An initiator without keys drops the acceptor's data and sends no hint.
  CHECK(world.initiator().drops(Drop::record_no_keys) > 0);
  CHECK(status(world.initiator(), world).hints_given == 0);
  CHECK(world.violations.empty());
}

TEST_CASE("a forged hint from the peer's address causes one probe and no handshake") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(500ms);
  SimEnd& initiator = world.initiator();
  const auto drops_of_hint = [&] {
    const auto before = initiator.drops(Drop::plaintext_alert);
    initiator.receive(hint);
    world.run(200ms);
    return initiator.drops(Drop::plaintext_alert) - before;
  };
  CHECK(drops_of_hint() == 1);
  for (int i = 0; i < 50; ++i) CHECK(drops_of_hint() == 1);
  CHECK(status(initiator, world).hints_taken == 0);
  CHECK(status(initiator, world).handshakes == 1);
  // The acceptor drops a hint: no reply, no handshake.
  world.acceptor().receive(hint);
  world.run(200ms);
  CHECK(world.acceptor().drops(Drop::plaintext_alert) == 1);
  CHECK(status(world.acceptor(), world).handshakes == 1);
  CHECK(world.both_up());
  CHECK(initiator.carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("a hint while the peer is silent starts one handshake beside the association in use") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(500ms);
  world.wire.impair({.drop = 1});
  SimEnd& initiator = world.initiator();
  initiator.receive(hint);
  world.run(100ms);
  CHECK(status(initiator, world).hints_taken == 1);
  for (int i = 0; i < 10; ++i) initiator.receive(hint);  // one handshake is in progress
  CHECK(initiator.drops(Drop::plaintext_alert) == 10);
  world.wire.impair({});
  world.run(5s);
  // The acceptor did not restart: both ends change to the new association, the carriers stay on.
  CHECK(world.both_up());
  CHECK(initiator.carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(status(initiator, world).handshakes == 2);
  CHECK(status(initiator, world).hints_taken == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("an acceptor answers data without keys with one hint per second, and no other record") {
  // A well-formed data record of another sender.
  std::vector<std::uint8_t> data(datapath::least_data_record, 0);
  data[0] = 23;
  data[1] = 0xfe;
  data[2] = 0xfd;
  data[4] = 1;
  data[12] = static_cast<std::uint8_t>(data.size() - 13);
  World world({}, identities().initiator, identities().acceptor);
  world.kill(0);
  world.run(10s);
  const auto hints_sent = [&] { return status(world.acceptor(), world).hints_given; };
  for (int i = 0; i < 30; ++i) {
    world.acceptor().receive(data);
    world.run(100ms);
  }
  CHECK(hints_sent() == 3);
  world.run(5s);
  const auto before = hints_sent();
  const auto expect_no_hint = [&](std::vector<std::uint8_t> record) {
    world.acceptor().receive(std::move(record));
    world.run(1s);
    CHECK(hints_sent() == before);
  };
  expect_no_hint(hint);
  auto other = data;
  other[0] = 21;  // an encrypted alert
  expect_no_hint(other);
  other = data;
  other.pop_back();
  --other[12];
  expect_no_hint(other);  // too short for one byte of data
  other = data;
  other[4] = 0;
  expect_no_hint(other);
  expect_no_hint({22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 1, 0});
  world.acceptor().receive(data);
  CHECK(hints_sent() == before + 1);
}
