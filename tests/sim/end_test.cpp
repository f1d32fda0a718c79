// The hard end of an association: twice --rekey, and the end of the peer's certificate.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"
#include "virtual_clock.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

std::string word(SimEnd& end, const World& world) {
  return status(end, world).reason.word;
}

}  // namespace

TEST_CASE("a link that renews in time never flaps, on a lossy wire and with unequal --rekey") {
  struct Case {
    Duration acceptor;
    Duration initiator;
  };
  const auto [acceptor, initiator] =
      GENERATE(Case{30s, 30s}, Case{30s, 24h}, Case{24h, 30s}, Case{10s, 10s});
  CAPTURE(acceptor.count(), initiator.count());
  World world({.seed = 7, .rekey = acceptor, .initiator_rekey = initiator}, identities().initiator,
              identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.wire.impair({.drop = 0.05});
  const Duration day = static_cast<int>(seeds(4)) * 30min;  // a quarter with a sanitizer
  world.run(day);
  CHECK(world.both_up());
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(status(world.initiator(), world).rekeys >= static_cast<std::uint64_t>(day / 60s));
  CHECK(status(world.initiator(), world).unexpected_events == 0);
  CHECK(world.violations.empty());
}

TEST_CASE("an acceptor ends an association that the initiator never renews after twice --rekey") {
  // The initiator's --rekey is longer, and the acceptor refuses its new certificate.
  World world({.rekey = 60s, .initiator_rekey = 24h}, identities().initiator,
              identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  const Time begun = world.now;
  world.initiator().replace_identity(identities().misnamed_initiator);
  REQUIRE(world.run_until([&] { return !world.carrier(1); }, 5min));
  CHECK(world.now - begun <= 120s);
  CHECK(world.now - begun > 119s);
  CHECK(word(world.acceptor(), world) == "rekey_overdue");
  CHECK_FALSE(status(world.acceptor(), world).association);
  // The initiator is told, and its attempts are refused.
  REQUIRE(world.run_until([&] { return !world.carrier(0); }, 1s));
  world.run(30s);
  CHECK(status(world.initiator(), world).handshakes == 1);
  world.initiator().replace_identity(identities().initiator);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(world.violations.empty());
}

TEST_CASE("an initiator whose rekeys all fail ends the association after twice --rekey") {
  World world({.rekey = 24h, .initiator_rekey = 60s}, identities().initiator,
              identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  const Time begun = world.now;
  world.acceptor().replace_identity(identities().misnamed_acceptor);
  REQUIRE(world.run_until([&] { return !world.carrier(0); }, 5min));
  CHECK(world.now - begun <= 120s);
  CHECK(world.now - begun > 119s);
  CHECK(word(world.initiator(), world) == "rekey_overdue");
  CHECK_THAT(status(world.initiator(), world).reason.text,
             ContainsSubstring("not renewed within twice --rekey, and its rekey failed: "));
  world.acceptor().replace_identity(identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(world.violations.empty());
}

TEST_CASE("both ends end an association when the peer's certificate expires, and refuse it then") {
  const bool initiator_expires = GENERATE(true, false);
  CAPTURE(initiator_expires);
  virtual_clock::begin(World::begin - 23h);
  TestCa ca;
  const auto issue = [&](const char* name, bool brief) {
    return ca.issue({.name = name, .ends_in_days = brief ? 1 : 365});
  };
  const auto v1 = issue("V1-1", initiator_expires);
  const auto v2 = issue("V2-1", !initiator_expires);
  World world({1, {}, 24h}, make_identity(v1, ca.certificate(), "V2-1"),
              make_identity(v2, ca.certificate(), "V1-1"));
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1h - 1min);
  REQUIRE(world.both_up());
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(status(world.initiator(), world).rekeys < 20);
  SimEnd& verifier = initiator_expires ? world.acceptor() : world.initiator();
  REQUIRE(world.run_until([&] { return !verifier.carrier(); }, 1min));
  CHECK(word(verifier, world) == "peer_expired");
  CHECK_THAT(status(verifier, world).reason.text,
             ContainsSubstring(std::string("the certificate of ") +
                               (initiator_expires ? "V1-1" : "V2-1") + " expired at 20"));
  const auto handshakes = status(verifier, world).handshakes;
  world.run(60s);
  CHECK_FALSE(world.carrier(0));
  CHECK_FALSE(world.carrier(1));
  CHECK(status(verifier, world).handshakes == handshakes);
  CHECK(verifier.drops(Drop::certificate_refused) > 0);
  // A new certificate brings the link back.
  if (initiator_expires) {
    world.initiator().replace_identity(make_identity(ca.issue({"V1-1"}), ca.certificate(), "V2-1"));
  } else {
    world.acceptor().replace_identity(make_identity(ca.issue({"V2-1"}), ca.certificate(), "V1-1"));
  }
  REQUIRE(world.run_until([&] { return world.both_up(); }, 15s));
  CHECK(world.violations.empty());
}

TEST_CASE("a wall clock that is set beyond the peer's certificate ends the association") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  const auto set_clock = [&](Duration ahead) {
    world.acceptor().session().on_wall_clock(
        virtual_clock::wall() + std::chrono::duration_cast<std::chrono::microseconds>(ahead),
        world.now);
    world.acceptor().settle();
  };
  set_clock(364 * 24h);
  CHECK(world.carrier(1));
  set_clock(0s);
  CHECK(world.carrier(1));
  set_clock(366 * 24h);
  CHECK_FALSE(world.carrier(1));
  CHECK(word(world.acceptor(), world) == "peer_expired");
}

TEST_CASE("the keys of a replaced association are wiped when its certificate expires, too") {
  virtual_clock::begin(World::begin);
  TestCa ca;
  const auto v2 = ca.issue({"V2-1"});
  const auto brief =
      make_identity(ca.issue({.name = "V1-1", .ends_in_days = 1}), ca.certificate(), "V2-1");
  World world({}, brief, make_identity(v2, ca.certificate(), "V1-1"));
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.initiator().replace_identity(make_identity(ca.issue({"V1-1"}), ca.certificate(), "V2-1"));
  REQUIRE(world.run_until([&] { return status(world.acceptor(), world).rekeys == 1; }, 1s));
  const Time renewed = world.now;
  REQUIRE(world.acceptor().session().deadline());
  int retired = 0;
  world.acceptor().retired = [&] { ++retired; };
  world.acceptor().session().on_wall_clock(virtual_clock::wall() + 25h, world.now);
  world.acceptor().settle();
  CHECK(retired == 1);
  CHECK(world.now == renewed);
  CHECK(world.carrier(1));
  world.run(15s);
  CHECK(retired == 1);
  CHECK(world.both_up());
}

TEST_CASE("a rekey that times out in the turn of the dead detection is no unexpected event") {
  World world({}, identities().initiator, identities().acceptor);
  SimEnd& initiator = world.initiator();
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1s);
  world.cut(0);
  const Time silent_at = initiator.last_heard() + 3500ms;
  world.run(silent_at - session::Handshakes::unanswered - world.now);
  initiator.replace_identity(identities().initiator);
  REQUIRE(world.run_until([&] { return !initiator.carrier(); }, 5s));
  CHECK(world.now == silent_at);
  CHECK(word(initiator, world) == "silence");
  world.run(1s);
  CHECK(status(initiator, world).unexpected_events == 0);
}
