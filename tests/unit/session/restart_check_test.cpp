#include "routevpn/session/restart_hint.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

namespace {
const Time check_start{1h};
}

TEST_CASE("only the exact alert is a restart hint") {
  std::vector<std::uint8_t> datagram(restart_hint.begin(), restart_hint.end());
  CHECK(is_restart_hint(datagram));
  const std::size_t changed = GENERATE(range(std::size_t{0}, restart_hint.size()));
  CAPTURE(changed);
  datagram[changed] ^= 1;
  CHECK_FALSE(is_restart_hint(datagram));
  datagram[changed] ^= 1;
  datagram.push_back(0);
  CHECK_FALSE(is_restart_hint(datagram));
  datagram.resize(changed);
  CHECK_FALSE(is_restart_hint(datagram));
}

TEST_CASE("hints to strangers do not delay the hint to the peer, nor to other networks") {
  HintLimit limit;
  const auto address = [](int network, int host) {
    return IpAddress::v4(
        {10, 0, static_cast<std::uint8_t>(network), static_cast<std::uint8_t>(host)});
  };
  const auto known = address(1, 1);
  for (int i = 0; i < 60; ++i) CHECK(limit.take(address(i, 2), false, check_start));
  CHECK_FALSE(limit.take(address(1, 3), false, check_start + 999ms));  // of a served network
  CHECK(limit.take(known, true, check_start + 999ms));
  CHECK_FALSE(limit.take(known, true, check_start + 1998ms));
  CHECK(limit.take(address(1, 3), false, check_start + 1s));
  CHECK(limit.take(known, true, check_start + 1999ms));
}

TEST_CASE("a table full of networks that got a hint refuses others for a second") {
  HintLimit limit;
  const auto network = [](std::size_t i) {
    return IpAddress::v4({10, 0, static_cast<std::uint8_t>(i), 1});
  };
  for (std::size_t i = 0; i < HintLimit::max_networks; ++i) {
    CHECK(limit.take(network(i), false, check_start + i * 1ms));
  }
  CHECK_FALSE(limit.take(network(200), false, check_start + 999ms));
  CHECK(limit.take(network(200), false, check_start + 1s));
  CHECK_FALSE(limit.take(network(200), false, check_start + 1s));
}

TEST_CASE("a check waits for the round-trip timeout, at least 20 ms") {
  RestartCheck check;
  CHECK_FALSE(check.due());
  CHECK(check.begin(300ms, check_start));
  CHECK(check.due() == check_start + 300ms);
  check.reset();
  CHECK_FALSE(check.due());
  CHECK(check.begin(1ms, check_start));
  CHECK(check.due() == check_start + 20ms);
}

TEST_CASE("a peer has restarted only if no authentic record arrived after the check began") {
  RestartCheck check;
  REQUIRE(check.begin(100ms, check_start));
  CHECK(check.end(check_start - 1s));
  CHECK_FALSE(check.due());
  check.reset();
  REQUIRE(check.begin(100ms, check_start));
  CHECK(check.end(check_start));
  check.reset();
  REQUIRE(check.begin(100ms, check_start));
  CHECK_FALSE(check.end(check_start + 1ns));
}

TEST_CASE("an initiator follows one hint per second, and none while a check is in progress") {
  RestartCheck check;
  REQUIRE(check.begin(3s, check_start));
  CHECK_FALSE(check.begin(1ms, check_start + 2s));
  CHECK(check.due() == check_start + 3s);
  check.end(check_start);
  REQUIRE(check.begin(50ms, check_start + 4s));
  check.end(check_start);
  CHECK_FALSE(check.begin(50ms, check_start + 5s - 1ns));
  CHECK(check.begin(50ms, check_start + 5s));
}
