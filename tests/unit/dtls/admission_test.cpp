#include "routevpn/dtls/admission.hpp"

#include <string>

#include "catch.hpp"

using namespace routevpn;
using dtls::Admission;
using namespace std::chrono_literals;

namespace {

const Time start(1h);

IpAddress ip(const std::string& text) {
  const auto address = IpAddress::parse(text);
  REQUIRE(address);
  return *address;
}

int admitted(Admission& admission, const std::string& source, int asked, Time now) {
  int count = 0;
  for (int i = 0; i < asked; ++i) {
    if (!admission.admit(ip(source), now)) ++count;
  }
  return count;
}

IpAddress nth_source(unsigned n) {
  return IpAddress::v4({10, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n), 1});
}

}  // namespace

TEST_CASE("a source has a burst of 5 and a rate of 20 per second") {
  Admission admission({});
  struct Step {
    Duration at;
    int asked;
    int admitted;
  };
  for (const auto& step : std::vector<Step>{{0s, 10, 5},
                                            {0s, 3, 0},
                                            {49ms, 1, 0},
                                            {50ms, 2, 1},
                                            {150ms, 5, 2},
                                            {10s, 10, 5},
                                            {10s, 1, 0}}) {
    CAPTURE(step.at.count());
    CHECK(admitted(admission, "192.0.2.1", step.asked, start + step.at) == step.admitted);
  }
}

TEST_CASE("the sources of a /24 or a /64 share one rate") {
  Admission admission({});
  CHECK(admitted(admission, "192.0.2.1", 5, start) == 5);
  CHECK(admission.admit(ip("192.0.2.255"), start) == Drop::handshake_rate_limited);
  CHECK_FALSE(admission.admit(ip("192.0.3.1"), start));
  CHECK(admitted(admission, "2001:db8::1", 5, start) == 5);
  CHECK(admission.admit(ip("2001:db8::ffff:0:0:1"), start) == Drop::handshake_rate_limited);
  CHECK_FALSE(admission.admit(ip("2001:db8:0:1::1"), start));
}

TEST_CASE("all sources together have a burst of 100 and a rate of 100 per second") {
  Admission admission({});
  int count = 0;
  for (unsigned n = 0; n < 500; ++n) count += admission.admit(nth_source(n), start) ? 0 : 1;
  CHECK(count == 100);
  for (unsigned n = 500; n < 1000; ++n) {
    count += admission.admit(nth_source(n), start + 500ms) ? 0 : 1;
  }
  CHECK(count == 100 + 50);
}

TEST_CASE("a source over its rate does not use up the total rate") {
  Admission admission({});
  CHECK(admitted(admission, "192.0.2.1", 1000, start) == 5);
  CHECK(admitted(admission, "198.51.100.1", 5, start) == 5);
}

TEST_CASE("an empty bucket is not evicted by a flood from many sources") {
  Admission admission({});
  Time now = start;
  CHECK(admitted(admission, "192.0.2.1", 5, now) == 5);
  // One source every 10 ms. 250 ms would refill the bucket's 5 tokens, so the loop keeps it empty.
  for (unsigned n = 0; n < 2 * Admission::max_sources; ++n) {
    now += 10ms;
    REQUIRE_FALSE(admission.admit(nth_source(n), now));
    admission.admit(ip("192.0.2.1"), now);
  }
  CHECK(admitted(admission, "192.0.2.1", 5, now) <= 1);
}

TEST_CASE("only allowed sources are answered") {
  Admission admission({*IpPrefix::parse("192.0.2.0/24"), *IpPrefix::parse("2001:db8::/32")});
  CHECK_FALSE(admission.admit(ip("192.0.2.7"), start));
  CHECK_FALSE(admission.admit(ip("2001:db8:3::1"), start));
  CHECK(admission.admit(ip("192.0.3.1"), start) == Drop::handshake_not_allowed);
  CHECK(admission.admit(ip("2001:db9::1"), start) == Drop::handshake_not_allowed);
}

TEST_CASE("a clock that stops or goes back adds no tokens") {
  Admission admission({});
  CHECK(admitted(admission, "192.0.2.1", 5, start) == 5);
  CHECK(admission.admit(ip("192.0.2.1"), start - 1h) == Drop::handshake_rate_limited);
  CHECK(admission.admit(ip("192.0.2.1"), start) == Drop::handshake_rate_limited);
}
