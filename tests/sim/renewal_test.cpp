// A renewal that the peer refuses: the association in use goes on to its limit, and then the link
// says why it is down.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("a refused renewal leaves the association working up to its limit, then says why") {
  const bool acceptor_refuses = GENERATE(true, false);
  CAPTURE(acceptor_refuses);
  World world({3, {1000, 60'000}, 3600s}, identities().initiator, identities().acceptor);
  SimEnd& initiator = world.initiator();
  SimEnd& acceptor = world.acceptor();
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  if (acceptor_refuses) {
    acceptor.session().replace_identity(identities().refusing_acceptor, world.now);
  } else {
    initiator.session().replace_identity(identities().refusing_initiator, world.now);
  }
  acceptor.settle();
  initiator.settle();
  world.traffic_interval = 3ms;  // a thousand packets a second, each way
  world.run(50s);
  CHECK(world.both_up());
  CHECK(initiator.delivered_packets + 100 > acceptor.sent_packets);
  CHECK(acceptor.delivered_packets + 100 > initiator.sent_packets);
  CHECK(status(initiator, world).renewals == 0);
  CHECK_FALSE(status(initiator, world).renewal_failure.empty());
  CHECK(initiator.drops(Drop::record_limit) == 0);
  INFO(status(initiator, world).renewal_failure);

  REQUIRE(world.run_until([&] { return !initiator.carrier() || !acceptor.carrier(); }, 15s));
  const Time limit = world.now;
  const auto reason = [&](SimEnd& end) { return status(end, world).reason.word; };
  SimEnd& first = initiator.carrier() ? acceptor : initiator;
  CHECK(reason(first) == "record_limit");
  if (&first == &initiator) {
    CHECK_THAT(status(first, world).reason.text, ContainsSubstring("its renewal failed: "));
  }
  // The other is told: it does not wait for silence.
  REQUIRE(world.run_until([&] { return !initiator.carrier() && !acceptor.carrier(); }, 5s));
  CHECK(world.now - limit <= 2 * Wire::delay);
  world.run(20s);
  CHECK_FALSE(world.carrier(0));
  CHECK_FALSE(world.carrier(1));
  const auto word = reason(initiator);
  CAPTURE(status(initiator, world).reason.text);
  CHECK((word == "handshake_failed" || word == "certificate_refused" || word == "handshaking"));

  acceptor.session().replace_identity(identities().acceptor, world.now);
  initiator.session().replace_identity(identities().initiator, world.now);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(status(initiator, world).renewal_failure.empty());
  CHECK(world.violations.empty());
}

TEST_CASE("a peer whose certificate is on the new list loses the link at once") {
  const bool by_acceptor = GENERATE(true, false);
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  SimEnd& judge = by_acceptor ? world.acceptor() : world.initiator();
  const auto& revoking =
      by_acceptor ? identities().revoking_acceptor : identities().revoking_initiator;
  judge.session().replace_identity(revoking, world.now);
  CHECK_FALSE(judge.carrier());
  CHECK(status(judge, world).reason.word == "peer_revoked");
  CHECK_FALSE(status(judge, world).association);
  judge.settle();
  REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 5s));
  world.run(20s);
  CHECK_FALSE(world.carrier(0));
  CHECK_FALSE(world.carrier(1));
  judge.session().replace_identity(by_acceptor ? identities().acceptor : identities().initiator,
                                   world.now);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(world.violations.empty());
}

TEST_CASE("a list that has others leaves the link alone") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  // Its own certificate: the peer's to judge.
  world.acceptor().session().replace_identity(identities().self_revoking_acceptor, world.now);
  world.acceptor().settle();
  world.run(5s);
  CHECK(world.both_up());
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(status(world.acceptor(), world).renewals == 1);
}

TEST_CASE("an acceptor asks for renewal until it has come") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.cut(0);
  world.acceptor().session().replace_identity(identities().acceptor, world.now);
  world.acceptor().settle();
  world.run(100ms);
  world.cut(0, false);
  CHECK(status(world.acceptor(), world).renewals == 0);
  world.run(1s);
  CHECK(status(world.acceptor(), world).renewals == 1);
  world.run(20s);
  CHECK(status(world.acceptor(), world).renewals == 1);
  CHECK(status(world.initiator(), world).handshakes == 2);
  CHECK(world.initiator().carrier_changes == 1);
}

TEST_CASE("certificates that are replaced in the middle of a handshake count from its start") {
  World world({}, identities().initiator, identities().acceptor);
  SimEnd& initiator = world.initiator();
  REQUIRE(world.run_until(
      [&] { return status(initiator, world).phase == session::Phase::handshaking; }, 1s));
  world.run(12ms);  // the acceptor has answered
  initiator.session().replace_identity(identities().refusing_initiator, world.now);
  initiator.settle();
  world.run(1s);
  CHECK(status(initiator, world).handshakes == 0);
  CHECK_FALSE(world.carrier(0));
}

TEST_CASE("a new association that never proves itself gives way to the one in use") {
  World world({1, {}, 3600s, {}, 20s}, identities().initiator, identities().acceptor);
  SimEnd& initiator = world.initiator();
  SimEnd& acceptor = world.acceptor();
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 10ms;
  world.run(1s);
  initiator.session().replace_identity(identities().initiator, world.now);
  initiator.settle();
  REQUIRE(world.run_until([&] { return status(initiator, world).handshakes == 2; }, 1s));
  world.cut(1);
  world.run(session::Session::straggler_time + 1s);
  const auto before = acceptor.delivered_packets;
  world.cut(1, false);
  world.run(500ms);
  CHECK(acceptor.delivered_packets > before + 100);
  CHECK(initiator.drops(Drop::inside_no_association) == 0);
  world.run(10s);
  CHECK(status(initiator, world).renewals == 1);
  CHECK(initiator.carrier_changes == 1);
  CHECK(acceptor.carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("a refusal that is taken back is forgotten with the next renewal") {
  World world({3, {}, 10s}, identities().initiator, identities().acceptor);
  SimEnd& initiator = world.initiator();
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.acceptor().session().replace_identity(identities().refusing_acceptor, world.now);
  world.run(30s);
  CHECK_FALSE(status(initiator, world).renewal_failure.empty());
  world.acceptor().session().replace_identity(identities().acceptor, world.now);
  world.run(15s);
  CHECK(status(initiator, world).renewal_failure.empty());
  CHECK(status(initiator, world).renewals >= 1);
  CHECK(initiator.carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("a renewal that fails at the peer after we were through leaves the link as it was") {
  World world({}, identities().initiator, identities().acceptor);
  SimEnd& acceptor = world.acceptor();
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1s);
  world.initiator().session().replace_identity(identities().initiator, world.now);
  world.initiator().settle();
  REQUIRE(world.run_until([&] { return status(acceptor, world).handshakes == 2; }, 1s));
  REQUIRE(status(acceptor, world).renewals == 0);
  acceptor.session().on_lane_event({2, datapath::AlertReceived{datapath::alert_fatal, 10}},
                                   world.now);
  acceptor.settle();
  CHECK(world.carrier(1));
  CHECK(status(acceptor, world).association->established < world.now - 1s);
  // Farewell is something else, under whichever key it comes.
  acceptor.session().on_lane_event({1, datapath::AlertReceived{datapath::alert_warning, 0}},
                                   world.now);
  CHECK_FALSE(world.carrier(1));
}
