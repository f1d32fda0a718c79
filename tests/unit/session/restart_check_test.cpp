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
