// Two initiators with one certificate take the link from each other. The acceptor and the initiator
// that lost the link count it. A restart and a rekey of one initiator at its IP address, and a
// roam, are no takeovers.

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

// A second initiator with the first one's certificate, at another address.
class Rival {
 public:
  explicit Rival(World& world) : world_(world), end_(world, 0, settings(), identities().initiator) {
    world.diverter = [this](int from, const outside::Endpoint& to, ConstBytes datagram) {
      const bool to_rival = from == 1 && to.remote == address.remote;
      if (to_rival) to_rival_.emplace_back(datagram.begin(), datagram.end());
      if (sends_) to_acceptor_.emplace_back(datagram.begin(), datagram.end());
      return to_rival || sends_;
    };
    sending([&] {
      end_.session().start(world_.now);
      end_.settle();
    });
  }
  ~Rival() { world_.diverter = nullptr; }

  void run(Duration duration) {
    for (const Time end = world_.now + duration; world_.now < end;) {
      world_.run(1ms);
      for (auto& datagram : std::exchange(to_acceptor_, {})) {
        world_.acceptor().receive(std::move(datagram), address);
      }
      for (auto& datagram : std::exchange(to_rival_, {})) {
        sending([&] { end_.receive(std::move(datagram), World::address(1)); });
      }
      sending([&] { end_.settle(); });
    }
  }
  SimEnd& end() { return end_; }

  const outside::Endpoint address{{IpAddress::v4({198, 51, 100, 7}), 7754}, std::nullopt};

 private:
  static session::SessionSettings settings() {
    auto settings = session::SessionSettings::of(options::LinkOptions{}, 0, 9);
    settings.role = dtls::Role::initiator;
    settings.peers = {{"peer.example", 7754}};
    settings.backend = record::CryptoBackend::openssl;
    settings.detection = World::Settings{}.detection;
    return settings;
  }
  template <typename Work>
  void sending(Work work) {
    sends_ = true;
    work();
    sends_ = false;
  }

  World& world_;
  bool sends_ = false;
  std::vector<std::vector<std::uint8_t>> to_acceptor_;
  std::vector<std::vector<std::uint8_t>> to_rival_;
  SimEnd end_;
};

std::uint64_t takeovers(SimEnd& end, const World& world) {
  return status(end, world).takeovers;
}

}  // namespace

TEST_CASE("a second initiator with the same certificate is a takeover at both ends") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1s);
  Rival rival(world);
  const Time began = world.now;
  while (world.carrier(0) && world.now < began + 1s) rival.run(1ms);
  // The first initiator does not wait for its dead detection.
  CHECK_FALSE(world.carrier(0));
  CHECK(rival.end().carrier());
  REQUIRE(world.acceptor().takeovers.size() == 1);
  const auto& seen = world.acceptor().takeovers.front();
  CHECK(seen.certificate == "V1-1");
  CHECK(seen.from == World::address(0).remote);
  CHECK(seen.to == rival.address.remote);
  CHECK_FALSE(seen.shared);
  CHECK(takeovers(world.acceptor(), world) == 1);
  CHECK(world.acceptor().carrier_changes == 1);
  REQUIRE(world.initiator().takeovers.size() == 1);
  CHECK(takeovers(world.initiator(), world) == 1);
  CHECK(status(world.initiator(), world).reason.word == "taken_over");
  // It leaves the link to the other for a while.
  rival.run(session::Session::retry_after_takeover - 1s);
  CHECK_FALSE(world.carrier(0));
  CHECK(rival.end().carrier());
  CHECK(world.violations.empty());
}

TEST_CASE("after three takeovers within a minute both ends know that a certificate is shared") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  Rival rival(world);
  rival.run(58s);
  const auto warnings = [](const SimEnd& end) {
    return std::ranges::count(end.takeovers, true, &session::TakenOver::shared);
  };
  CHECK(takeovers(world.acceptor(), world) >= 8);
  CHECK(takeovers(world.acceptor(), world) <= 13);
  CHECK(takeovers(world.initiator(), world) >= 3);
  CHECK(takeovers(rival.end(), world) >= 3);
  CHECK(warnings(world.acceptor()) == 1);
  CHECK(warnings(world.initiator()) == 1);
  CHECK(warnings(rival.end()) == 1);
  CHECK(world.acceptor().takeovers[2].shared);
  CHECK(world.violations.empty());
}

TEST_CASE("restarts, rekeys and moves of one initiator are no takeovers") {
  World::Settings settings;
  settings.rekey = 4s;
  World world(settings, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 10ms;
  for (int i = 0; i < 5; ++i) {
    const bool crashed = i % 2 == 0;
    if (crashed) world.crash(0);
    if (!crashed) world.kill(0);
    world.run(100ms);
    world.rebind();  // a new port
    world.start(0);
    REQUIRE(world.run_until([&] { return world.both_up(); }, 2s));
    world.run(5s);
    world.rebind();
    world.run(1s);
  }
  CHECK(status(world.acceptor(), world).rekeys >= 5);
  CHECK(takeovers(world.acceptor(), world) == 0);
  CHECK(takeovers(world.initiator(), world) == 0);
  CHECK(world.violations.empty());
}

TEST_CASE("a roam to another IP address and the rekey after it are no takeovers") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.traffic_interval = 10ms;
  world.run(1s);
  world.move();
  world.run(1s);
  REQUIRE(status(world.acceptor(), world).roams == 1);
  world.initiator().replace_identity(identities().initiator);
  REQUIRE(world.run_until([&] { return status(world.acceptor(), world).rekeys == 1; }, 10s));
  CHECK(takeovers(world.acceptor(), world) == 0);
  CHECK(takeovers(world.initiator(), world) == 0);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("an initiator that restarts at another IP address takes the link over from itself") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1s);
  world.kill(0);  // the acceptor does not know of its end
  world.move();
  world.start(0);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(10s);
  REQUIRE(world.acceptor().takeovers.size() == 1);
  CHECK(world.acceptor().takeovers.front().from == World::address(0).remote);
  CHECK(world.acceptor().takeovers.front().to == World::address(0, World::rebinds_of_move).remote);
  CHECK(takeovers(world.acceptor(), world) == 1);
  CHECK(takeovers(world.initiator(), world) == 0);
  CHECK(world.acceptor().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("a rekey from another IP address, before any record from there, is one, too") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(1s);
  world.move();
  world.initiator().replace_identity(identities().initiator);
  REQUIRE(world.run_until([&] { return status(world.acceptor(), world).rekeys == 1; }, 10s));
  world.run(10s);
  CHECK(takeovers(world.acceptor(), world) == 1);
  // The old association's alert is not for the new one.
  CHECK(takeovers(world.initiator(), world) == 0);
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("an initiator at another address after the first one's end is no takeover") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  const bool told = GENERATE(true, false);
  CAPTURE(told);
  if (told) {
    world.initiator().stop();
    world.run(500ms);
  }
  world.kill(0);
  if (!told) world.run(4s);  // longer than dead-after
  Rival rival(world);
  rival.run(2s);
  CHECK(rival.end().carrier());
  CHECK(takeovers(world.acceptor(), world) == 0);
}
