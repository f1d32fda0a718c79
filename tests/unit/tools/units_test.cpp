#include "tools/units.hpp"

#include "routevpn/base/error.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("numbers with units are parsed") {
  CHECK(parse_duration("250us", "x") == 250us);
  CHECK(parse_duration("1.5s", "x") == 1500ms);
  CHECK(parse_duration("0", "x") == 0s);
  CHECK(parse_share("5%", "x") == Approx(0.05));
  CHECK(parse_share("1", "x") == 1.0);
  CHECK(parse_rate("1.5G", "x") == Approx(1.5e9));
  CHECK(parse_rate("0", "x") == 0.0);
  CHECK(parse_count("17", "x") == 17);
  CHECK(parse_socket_address("192.0.2.1:53", "x").to_string() == "192.0.2.1:53");
  CHECK(parse_socket_address("[2001:db8::1]:53", "x").to_string() == "[2001:db8::1]:53");
}

TEST_CASE("other texts than numbers with units are refused") {
  for (const auto* bad : {"", "10", "ms", "-1ms", "1 ms", "1m", "nan", "infs", "3601s"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_duration(bad, "x"), UsageError);
  }
  for (const auto* bad : {"", "1.1", "101%", "-0.1", "x", "5 %"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_share(bad, "x"), UsageError);
  }
  for (const auto* bad : {"", "10 M", "-1", "10m"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_rate(bad, "x"), UsageError);
  }
  for (const auto* bad : {"", "-1", "1.5", "1k"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_count(bad, "x"), UsageError);
  }
  for (const auto* bad : {"", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
                          "2001:db8::1:53", "[192.0.2.1]:53", "host:53"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_socket_address(bad, "x"), UsageError);
  }
}
