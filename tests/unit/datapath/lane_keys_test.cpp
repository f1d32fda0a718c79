// A lane during a rekey, at the limit of its keys, and when they are retired.
#include "routevpn/datapath/lane.hpp"

#include "catch.hpp"
#include "lane_pair.hpp"

using namespace routevpn;
using namespace routevpn::datapath;
using namespace routevpn::test;

TEST_CASE("during a rekey, late records under the old keys are still opened") {
  LanePair pair;
  const auto late = pair.a.send(udp_packet(1));
  const Keys second = keys(40);
  pair.b.install(2, second.acceptor, false);
  pair.a.install(2, second.initiator, true);
  const auto fresh = pair.a.send(udp_packet(2));
  const auto under_old = pair.b.send(udp_packet(3));
  CHECK(pair.b.receive(fresh[0], west).size() == 1);
  CHECK(pair.b.receive(late[0], west).size() == 1);
  CHECK(pair.a.receive(under_old[0], east).size() == 1);
  const auto new_back = pair.b.send(udp_packet(4));
  CHECK(pair.a.receive(new_back[0], east).size() == 1);
  CHECK(pair.b.receive(late[0], west).empty());
  CHECK(pair.b.drops(Drop::record_replayed) == 1);
  CHECK(all_drops(pair.b) == 1);

  pair.b.command(RetireAssociation{1});
  pair.b.receive(late[0], west);
  CHECK(pair.b.drops(Drop::record_forged) == 1);
  CHECK(pair.b.send(udp_packet(5)).size() == 1);
}

TEST_CASE("events that must not be lost are announced again until the queue has room") {
  const Keys both = keys(3);
  End a(east);
  End b(west);
  a.install(1, both.initiator, true, {4, 6});
  b.install(1, both.acceptor, false, {4, 6});
  const auto fill = [](End& end) {
    while (end.lane.announce(0, RekeyRequested{})) {
    }
  };
  fill(a);
  fill(b);
  auto moved = west;
  moved.local = IpAddress::parse("192.0.2.22");
  for (std::uint8_t i = 0; i < 5; ++i) b.receive(a.send(udp_packet(i))[0], moved);
  a.events<std::monostate>();
  b.events<std::monostate>();
  b.receive(a.send(udp_packet(6))[0], moved);
  CHECK(a.send(udp_packet(7)).empty());
  int confirmed = 0;
  int roams = 0;
  int due = 0;
  while (const LaneEvent* const event = b.mailbox.events.front()) {
    confirmed += std::holds_alternative<AssociationConfirmed>(event->what) ? 1 : 0;
    roams += std::holds_alternative<PeerRoamed>(event->what) ? 1 : 0;
    due += std::holds_alternative<RekeyDue>(event->what) ? 1 : 0;
    b.mailbox.events.release();
  }
  CHECK(confirmed == 1);
  CHECK(roams == 1);
  CHECK(due == 1);
  CHECK(a.events<LimitReached>().size() == 1);
}

TEST_CASE("a late record does not make the lane seal with an older association") {
  LanePair pair;
  const Keys second = keys(40);
  const Keys third = keys(80);
  pair.b.install(2, second.acceptor, false);
  pair.b.install(3, third.acceptor, false);
  End two(east);
  End three(east);
  two.install(2, second.initiator, true);
  three.install(3, third.initiator, true);
  pair.b.receive(three.send(udp_packet(1))[0], west);
  pair.b.receive(two.send(udp_packet(2))[0], west);
  const auto answer = pair.b.send(udp_packet(3));
  CHECK(three.receive(answer[0], east).size() == 1);
}

TEST_CASE("at its limit an association seals nothing more and announces the limit once") {
  const Keys both = keys(3);
  End a(east);
  a.install(1, both.initiator, true, {4, 6});
  for (std::uint8_t i = 0; i < 4; ++i) CHECK(a.send(udp_packet(i)).size() == 1);
  CHECK(a.events<RekeyDue>().size() == 1);
  for (std::uint8_t i = 0; i < 2; ++i) CHECK(a.send(udp_packet(i)).size() == 1);
  CHECK(a.events<RekeyDue>().empty());
  for (std::uint8_t i = 0; i < 3; ++i) CHECK(a.send(udp_packet(i)).empty());
  CHECK(a.drops(Drop::record_limit) == 3);
  CHECK(a.events<LimitReached>().size() == 1);
}

TEST_CASE("at its limit an association still seals a few alerts, and nothing else") {
  const Keys both = keys(3);
  End a(east);
  End b(west);
  a.install(1, both.initiator, true, {100, 2});
  b.install(1, both.acceptor, false);
  for (std::uint8_t i = 0; i < 2; ++i) b.receive(a.send(udp_packet(i)).at(0), west);
  CHECK(a.events<LimitReached>().empty());
  a.command(SendControl{});  // a control message counts as data
  CHECK(a.control().empty());
  CHECK(a.events<LimitReached>().size() == 1);
  a.command(SendAlert{1, 0});
  b.receive(a.control().at(0), west);
  CHECK(b.events<AlertReceived>().size() == 1);
  for (int i = 0; i < 100; ++i) a.command(SendAlert{1, 0});
  CHECK(a.control().size() == records_for_alerts - 1);
}

TEST_CASE("received records also make a rekey due") {
  const Keys both = keys(3);
  End a(east);
  End b(west);
  a.install(1, both.initiator, true);
  b.install(1, both.acceptor, false, {3, 1000});
  for (std::uint8_t i = 0; i < 3; ++i) b.receive(a.send(udp_packet(i))[0], west);
  CHECK(b.events<RekeyDue>().size() == 1);
}

TEST_CASE("an alert is sent sealed, also if the next command retires its association") {
  LanePair pair;
  *pair.a.mailbox.commands.reserve() = SendAlert{1, 0};
  pair.a.mailbox.commands.publish();
  *pair.a.mailbox.commands.reserve() = RetireAssociation{1};
  pair.a.mailbox.commands.publish();
  pair.a.lane.execute_commands(epoch);
  const auto datagrams = pair.a.control();
  REQUIRE(datagrams.size() == 1);
  CHECK(datagrams[0][0] == 21);
  pair.b.receive(datagrams[0], west);
  const auto alerts = pair.b.events<AlertReceived>();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].level == 1);
  CHECK(alerts[0].description == 0);
}

TEST_CASE("a fatal alert confirms no association: data stays under the one before") {
  LanePair pair;
  const Keys second = keys(40);
  pair.b.install(2, second.acceptor, false);
  pair.a.install(2, second.initiator, true);
  pair.a.command(SendAlert{alert_fatal, 10});
  pair.b.receive(pair.a.control().at(0), west);
  REQUIRE(pair.b.mailbox.events.front() != nullptr);
  CHECK(pair.b.mailbox.events.front()->id == 2);
  CHECK(std::holds_alternative<AlertReceived>(pair.b.mailbox.events.front()->what));
  CHECK(pair.b.events<AssociationConfirmed>().empty());
  pair.a.command(RetireAssociation{2});
  CHECK(pair.a.receive(pair.b.send(udp_packet(1)).at(0), east).size() == 1);
}
