// An acceptor keeps the peer's last address when the association ends and when the process is
// restarted: strangers cannot keep out the peer.

#include "strangers.hpp"

#include "catch.hpp"
#include "sim/identities.hpp"
#include "sim/world.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

namespace {

// Strangers around the acceptor of a world: 4,000 ClientHellos per second.
class Crowd {
 public:
  explicit Crowd(World& world) : world_(world) { recruit(); }

  // They get new cookies, for example after a restart of the acceptor.
  void recruit() {
    std::vector<std::uint8_t> reply;
    world_.to_stranger = [&](ConstBytes datagram) { reply = {datagram.begin(), datagram.end()}; };
    const auto ask = [&](const Strangers::Datagram& datagram, const outside::Endpoint& from) {
      world_.acceptor().receive(datagram, from);
      return reply;
    };
    strangers_.emplace(identities().initiator, addresses_of_different_16(400), std::uint16_t{2},
                       ask, world_.now);
    world_.to_stranger = [](ConstBytes) {};
  }
  template <typename Condition>
  bool flood_until(Condition condition, Duration at_most) {
    for (const Time end = world_.now + at_most; world_.now < end && !condition();) {
      strangers_->send(40, [&](const Strangers::Datagram& datagram, const outside::Endpoint& from) {
        world_.acceptor().receive(datagram, from);
      });
      world_.run(10ms);
    }
    return condition();
  }

 private:
  World& world_;
  std::optional<Strangers> strangers_;
};

}  // namespace

TEST_CASE("strangers keep out neither a restarted peer nor the peer of a restarted acceptor") {
  const bool acceptor_restarts = GENERATE(true, false);
  CAPTURE(acceptor_restarts);
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  CHECK(world.remembered == World::address(0).remote.address);
  world.kill(0);
  REQUIRE(world.run_until([&] { return !world.carrier(1); }, 5s));
  if (acceptor_restarts) {
    world.kill(1);
    world.start(1);
  }
  Crowd crowd(world);
  crowd.flood_until([] { return false; }, 500ms);
  CHECK(world.acceptor().drops(Drop::handshake_rate_limited) > 1000);
  world.start(0);
  REQUIRE(crowd.flood_until([&] { return world.both_up(); }, 5s));
  CHECK(status(world.initiator(), world).handshakes == 1);
  // The link lives on, and renews.
  world.initiator().replace_identity(identities().initiator);
  REQUIRE(crowd.flood_until([&] { return status(world.acceptor(), world).rekeys == 1; }, 5s));
  CHECK(world.initiator().carrier_changes == 1);
  CHECK(world.violations.empty());
}

TEST_CASE("records of strangers do not keep the restart hint from the peer") {
  World world({}, identities().initiator, identities().acceptor);
  REQUIRE(world.run_until([&] { return world.both_up(); }, 1s));
  world.run(2s);
  world.traffic_interval = 10ms;
  world.kill(1);
  world.run(300ms);
  world.start(1);
  world.to_stranger = [](ConstBytes) {};
  std::vector<std::uint8_t> data(datapath::least_data_record, 0);
  data[0] = 23;
  data[1] = 0xfe;
  data[2] = 0xfd;
  data[4] = 1;
  data[12] = static_cast<std::uint8_t>(data.size() - 13);
  const Time ready = world.now;
  const auto others = addresses_of_different_16(40);
  for (std::size_t i = 0; i < 100 && !world.both_up(); ++i) {
    world.acceptor().receive(data, {{others[i % others.size()], 7754}, std::nullopt});
    world.run(21ms);
  }
  CHECK(world.both_up());
  CHECK(world.now - ready < 300ms);
  CHECK(status(world.initiator(), world).hints_taken == 1);
  CHECK(world.initiator().carrier_changes == 1);
}
