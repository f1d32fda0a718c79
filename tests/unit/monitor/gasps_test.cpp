#include "routevpn/monitor/gasps.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::monitor;
using namespace std::chrono_literals;

namespace {

channel::KeepGasp gasp(std::uint8_t lane, std::uint8_t first) {
  channel::KeepGasp made{};
  made.lane = lane;
  made.length = 31;
  made.bytes[0] = first;
  made.remote = channel::Address::of(SocketAddress{*IpAddress::parse("192.0.2.1"), 7754, 0});
  return made;
}

struct Sent {
  std::size_t lane;
  std::uint8_t first;
  std::size_t bytes;
  bool operator==(const Sent&) const = default;
};

std::vector<Sent> send(Gasps& gasps, Time now) {
  std::vector<Sent> sent;
  gasps.send(now, [&](std::size_t lane, ConstBytes datagram, const outside::Endpoint& to) {
    CHECK(to.remote.to_string() == "192.0.2.1:7754");
    CHECK_FALSE(to.local);
    sent.push_back({lane, datagram[0], datagram.size()});
  });
  return sent;
}

}  // namespace

TEST_CASE("the gasp of each lane is sent four times in 150 ms after the worker's death") {
  Gasps gasps(3);
  REQUIRE(gasps.keep(gasp(0, 1)));
  REQUIRE(gasps.keep(gasp(2, 2)));
  REQUIRE(gasps.keep(gasp(2, 3)));  // replaces the one before
  Time now{1h};
  CHECK(send(gasps, now).empty());
  gasps.begin(now);
  const std::vector<Sent> all = {{0, 1, 31}, {2, 3, 31}};
  CHECK(send(gasps, now) == all);
  REQUIRE(gasps.keep(gasp(0, 9)));  // of the next worker
  for (int i = 0; i < 3; ++i) {
    CHECK(send(gasps, now + 49ms).empty());
    now += 50ms;
    CHECK(gasps.due() == now);
    CHECK(send(gasps, now) == all);
  }
  CHECK_FALSE(gasps.due());
  gasps.begin(now);
  CHECK(send(gasps, now) == std::vector<Sent>{{0, 9, 31}});
}

TEST_CASE(
    "the death of the next worker, which has no gasp yet, does not cut off the gasps before") {
  Gasps gasps(2);
  REQUIRE(gasps.keep(gasp(0, 1)));
  REQUIRE(gasps.keep(gasp(1, 2)));
  Time now{1h};
  gasps.begin(now);
  CHECK(send(gasps, now).size() == 2);
  REQUIRE(gasps.keep(gasp(1, 3)));
  gasps.begin(now);
  for (int i = 0; i < Gasps::times; ++i) {
    CHECK(send(gasps, now) == std::vector<Sent>{{0, 1, 31}, {1, 3, 31}});
    now += Gasps::interval;
  }
  CHECK_FALSE(gasps.due());
  gasps.begin(now);
  CHECK(send(gasps, now).empty());
}

TEST_CASE("a gasp that is taken back is not sent") {
  Gasps gasps(1);
  REQUIRE(gasps.keep(gasp(0, 1)));
  REQUIRE(gasps.keep(channel::KeepGasp{}));
  gasps.begin(Time{1h});
  CHECK(send(gasps, Time{1h}).empty());
}

TEST_CASE("the next monitor has the gasp of each lane, also beside lanes without one") {
  Gasps before(3);
  REQUIRE(before.keep(gasp(0, 1)));
  REQUIRE(before.keep(gasp(2, 2)));
  auto none = gasp(1, 0);
  none.length = 0;
  REQUIRE(before.keep(none));
  Gasps next(before.kept());
  next.begin(Time{1h});
  CHECK(send(next, Time{1h}) == std::vector<Sent>{{0, 1, 31}, {2, 2, 31}});
}

TEST_CASE("gasps with fields out of range are refused") {
  Gasps gasps(1);
  CHECK_FALSE(gasps.keep(gasp(1, 1)));
  auto long_one = gasp(0, 1);
  long_one.length = 65;
  CHECK_FALSE(gasps.keep(long_one));
  auto nowhere = gasp(0, 1);
  nowhere.remote = {};
  CHECK_FALSE(gasps.keep(nowhere));
}
