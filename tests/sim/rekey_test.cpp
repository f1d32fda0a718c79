// Rekeys that fail or that the peer refuses, and certificates that a CRL revokes.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE(
    "after a refused rekey the association works up to its limit, then the status shows why") {
  const bool acceptor_refuses = GENERATE(true, false);
  CAPTURE(acceptor_refuses);
  World world({3, {1000, 60'000}, 3600s}, identities().initiator, identities().acceptor);
  SimEnd& initiator = world.initiator();
  SimEnd& acceptor = world.acceptor();
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  if (acceptor_refuses) {
    initiator.replace_identity(identities().misnamed_initiator);
  } else {
    acceptor.replace_identity(identities().misnamed_acceptor);
  }
  acceptor.settle();
  initiator.settle();
  world.traffic_interval = 3ms;  // 1000 packets per second in each direction
  world.run(50s);
  CHECK(world.both_up());
  CHECK(initiator.delivered_packets + 100 > acceptor.sent_packets);
  CHECK(acceptor.delivered_packets + 100 > initiator.sent_packets);
  CHECK(status(initiator, world).rekeys == 0);
  CHECK_FALSE(status(initiator, world).renewal_failure.empty());
  CHECK(initiator.drops(Drop::record_limit) == 0);
  INFO(status(initiator, world).renewal_failure);

  REQUIRE(world.run_until([&] { return !initiator.carrier() || !acceptor.carrier(); }, 15s));
  const Time limit = world.now;
  const auto reason = [&](SimEnd& end) { return status(end, world).reason.word; };
  SimEnd& first = initiator.carrier() ? acceptor : initiator;
  CHECK(reason(first) == "record_limit");
  if (&first == &initiator) {
    CHECK_THAT(status(first, world).reason.text, ContainsSubstring("its rekey failed: "));
  }
  // The other end receives a close_notify and does not wait for dead-after.
  REQUIRE(world.run_until([&] { return !initiator.carrier() && !acceptor.carrier(); }, 5s));
  CHECK(world.now - limit <= 2 * Wire::delay);
  world.run(20s);
  CHECK_FALSE(world.carrier(0));
  CHECK_FALSE(world.carrier(1));
  const auto word = reason(initiator);
  CAPTURE(status(initiator, world).reason.text);
  CHECK((word == "refused_by_peer" || word == "certificate_refused" || word == "handshaking"));

  acceptor.replace_identity(identities().acceptor);
  initiator.replace_identity(identities().initiator);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(status(initiator, world).renewal_failure.empty());
  CHECK(world.violations.empty());
}

TEST_CASE("a new CRL that revokes the peer takes the carrier off at once") {
  const bool by_acceptor = GENERATE(true, false);
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  SimEnd& revoker = by_acceptor ? world.acceptor() : world.initiator();
  const auto& revoking =
      by_acceptor ? identities().revoking_acceptor : identities().revoking_initiator;
  revoker.replace_identity(revoking);
  CHECK_FALSE(revoker.carrier());
  CHECK(status(revoker, world).reason.word == "peer_revoked");
  CHECK_FALSE(status(revoker, world).association);
  revoker.settle();
  REQUIRE(world.run_until([&] { return !world.carrier(0) && !world.carrier(1); }, 5s));
  world.run(20s);
  CHECK_FALSE(world.carrier(0));
  CHECK_FALSE(world.carrier(1));
  revoker.replace_identity(by_acceptor ? identities().acceptor : identities().initiator);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(world.violations.empty());
}

TEST_CASE("reloaded credentials that refuse the peer end the association at once") {
  const bool by_acceptor = GENERATE(true, false);
  const bool other_ca = GENERATE(true, false);
  CAPTURE(by_acceptor, other_ca);
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  SimEnd& refuser = by_acceptor ? world.acceptor() : world.initiator();
  const Identities& all = identities();
  if (other_ca) {
    refuser.replace_identity(by_acceptor ? all.other_acceptor : all.other_initiator);
  } else {
    refuser.replace_identity(by_acceptor ? all.refusing_acceptor : all.refusing_initiator);
  }
  CHECK_FALSE(refuser.carrier());
  CHECK_FALSE(status(refuser, world).association);
  CHECK(status(refuser, world).reason.word == "certificate_refused");
  CHECK(status(refuser, world).reason.text ==
        "certificate of " + std::string(by_acceptor ? "V1-1" : "V2-1") + " refused: " +
            (other_ca ? "not signed by our CA"
                      : "name is " + std::string(by_acceptor ? "V1-1" : "V2-1") + ", not V9-1"));
  world.run(20s);
  CHECK_FALSE(world.carrier(0));
  CHECK_FALSE(world.carrier(1));
  CHECK(status(world.initiator(), world).handshakes == 1);
  refuser.replace_identity(by_acceptor ? all.acceptor : all.initiator);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(world.violations.empty());
}

TEST_CASE("a CRL that revokes the own certificate does not move the carrier") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  // Only the peer verifies this certificate.
  world.acceptor().replace_identity(identities().self_revoking_acceptor);
  world.acceptor().settle();
  world.run(5s);
  CHECK(world.both_up());
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(status(world.acceptor(), world).rekeys == 1);
}

TEST_CASE("an acceptor requests a rekey until the rekey succeeds") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.cut(0);
  world.acceptor().replace_identity(identities().acceptor);
  world.acceptor().settle();
  world.run(100ms);
  world.cut(0, false);
  CHECK(status(world.acceptor(), world).rekeys == 0);
  world.run(1s);
  CHECK(status(world.acceptor(), world).rekeys == 1);
  world.run(20s);
  CHECK(status(world.acceptor(), world).rekeys == 1);
  CHECK(status(world.initiator(), world).handshakes == 2);
  CHECK(world.initiator().carrier_changes == 1);
}

TEST_CASE("an identity that is replaced during a handshake applies to that handshake") {
  World world({}, identities().initiator, identities().acceptor);
  SimEnd& initiator = world.initiator();
  REQUIRE(world.run_until(
      [&] { return status(initiator, world).phase == session::Phase::handshaking; }, 1s));
  world.run(12ms);  // the acceptor has sent its flight
  initiator.replace_identity(identities().refusing_initiator);
  initiator.settle();
  world.run(1s);
  CHECK(status(initiator, world).handshakes == 0);
  CHECK_FALSE(world.carrier(0));
}

TEST_CASE("a new association that is never confirmed is retired, the one in use stays") {
  World world({.detection = session::Detection::by_hand(1s, 20s)}, identities().initiator,
              identities().acceptor);
  SimEnd& initiator = world.initiator();
  SimEnd& acceptor = world.acceptor();
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 10ms;
  world.run(1s);
  initiator.replace_identity(identities().initiator);
  initiator.settle();
  REQUIRE(world.run_until([&] { return status(initiator, world).handshakes == 2; }, 1s));
  world.cut(1);
  world.run(session::AssociationTable::old_keys_time + 1s);
  const auto before = acceptor.delivered_packets;
  world.cut(1, false);
  world.run(500ms);
  CHECK(acceptor.delivered_packets > before + 100);
  CHECK(initiator.drops(Drop::inside_no_association) == 0);
  world.run(10s);
  CHECK(status(initiator, world).rekeys == 1);
  CHECK(initiator.carrier_changes == 1);
  CHECK(acceptor.carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("the next successful rekey clears the failure of a refused one") {
  World world({3, {}, 10s}, identities().initiator, identities().acceptor);
  SimEnd& initiator = world.initiator();
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.acceptor().replace_identity(identities().misnamed_acceptor);
  world.run(15s);
  CHECK_FALSE(status(initiator, world).renewal_failure.empty());
  world.acceptor().replace_identity(identities().acceptor);
  world.run(15s);
  CHECK(status(initiator, world).renewal_failure.empty());
  CHECK(status(initiator, world).rekeys >= 1);
  CHECK(initiator.carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("a rekey that fails at the peer after its local completion leaves the carrier on") {
  World world({}, identities().initiator, identities().acceptor);
  SimEnd& acceptor = world.acceptor();
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1s);
  world.initiator().replace_identity(identities().initiator);
  world.initiator().settle();
  REQUIRE(world.run_until([&] { return status(acceptor, world).handshakes == 2; }, 1s));
  REQUIRE(status(acceptor, world).rekeys == 0);
  acceptor.session().on_lane_event({2, datapath::AlertReceived{datapath::alert_fatal, 10}},
                                   world.now);
  acceptor.settle();
  CHECK(world.carrier(1));
  CHECK(status(acceptor, world).association->established < world.now - 1s);
  // A close_notify with either key takes the carrier off.
  acceptor.session().on_lane_event({1, datapath::AlertReceived{datapath::alert_warning, 0}},
                                   world.now);
  acceptor.settle();
  CHECK_FALSE(world.carrier(1));
}
