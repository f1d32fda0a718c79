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

bool admits(Admission& admission, const IpAddress& source, Time now, bool peer = false) {
  return !admission.admit(source, now, peer).refused;
}
int admitted(Admission& admission, const std::string& source, int asked, Time now) {
  int count = 0;
  for (int i = 0; i < asked; ++i) count += admits(admission, ip(source), now) ? 1 : 0;
  return count;
}

// Each is of another /16.
IpAddress nth_source(unsigned n) {
  return IpAddress::v4({static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n), 0, 1});
}
// Each is of another /64, all are of one /48.
IpAddress nth_in_48(unsigned n) {
  return IpAddress::v6({0x20, 1, 0xd, 0xb8, 0, 7, static_cast<std::uint8_t>(n >> 8),
                        static_cast<std::uint8_t>(n), 0, 0, 0, 0, 0, 0, 0, 1});
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
  CHECK_FALSE(admits(admission, ip("192.0.2.255"), start));
  CHECK(admits(admission, ip("192.0.3.1"), start));
  CHECK(admitted(admission, "2001:db8::1", 5, start) == 5);
  CHECK_FALSE(admits(admission, ip("2001:db8::ffff:0:0:1"), start));
  CHECK(admits(admission, ip("2001:db8:0:1::1"), start));
}

TEST_CASE("the networks of an IPv4 /16 share a burst of 20, of an IPv6 /56 10 and of a /48 20") {
  Admission admission({});
  int of_16 = 0;
  int of_56 = 0;
  int of_48 = 0;
  for (unsigned n = 0; n < 200; ++n) {
    const auto low = static_cast<std::uint8_t>(n);
    of_16 += admits(admission, IpAddress::v4({198, 51, low, 1}), start) ? 1 : 0;
    of_56 += admits(admission, nth_in_48(n), start) ? 1 : 0;
  }
  for (unsigned n = 256; n < 65536; n += 256) {
    of_48 += admits(admission, nth_in_48(n), start) ? 1 : 0;
  }
  CHECK(of_16 == 20);
  CHECK(of_56 == 10);
  CHECK(of_48 == 20 - 10);
  CHECK(admits(admission, ip("198.52.0.1"), start));
  CHECK(admits(admission, ip("2001:db8:8::1"), start));
  // 60 per second after the burst.
  int later = 0;
  for (unsigned n = 0; n < 65536; n += 97) {
    later += admits(admission, nth_in_48(n), start + 300ms) ? 1 : 0;
  }
  CHECK(later == 18);
}

TEST_CASE("all sources together have a rate of 100 per second, a fifth of it for first contacts") {
  Admission admission({});
  struct Step {
    unsigned first;  // of 1,000 sources
    Duration at;
    int first_contacts;
    int others;
  };
  for (const auto& step : std::vector<Step>{{0, 0s, 500, 80},    // bursts
                                            {0, 1s, 20, 80},     // sources known, and not
                                            {1000, 2s, 20, 80},  // all are first contacts
                                            {0, 3s, 20, 80},
                                            {10'000, 31s, 500, 80}}) {
    CAPTURE(step.first, step.at.count());
    int first_contacts = 0;
    int others = 0;
    for (unsigned n = step.first; n < step.first + 1000; ++n) {
      const auto decision = admission.admit(nth_source(n), start + step.at);
      if (decision.refused) continue;
      ++(decision.first_contact ? first_contacts : others);
    }
    CHECK(first_contacts == step.first_contacts);
    CHECK(others == step.others);
  }
}

TEST_CASE("a source over its rate does not use up the total rate or its neighbours' rates") {
  Admission admission({});
  CHECK(admitted(admission, "192.0.2.1", 1000, start) == 5);
  CHECK(admitted(admission, "192.0.3.1", 5, start) == 5);
  CHECK(admitted(admission, "198.51.100.1", 5, start) == 5);
}

TEST_CASE("strangers of 400 networks leave a first contact its share, until it is none any more") {
  Admission admission({});
  Time now = start;
  const auto flood = [&](Duration time) {
    for (const Time end = now + time; now < end; now += 10ms) {
      for (unsigned n = 0; n < 40; ++n) {
        admits(admission,
               nth_source((static_cast<unsigned>(now.time_since_epoch() / 10ms) * 40 + n) % 400),
               now);
      }
    }
  };
  flood(1s);  // the networks' own first contacts are over
  const auto peer = ip("203.0.113.7");
  const auto first = admission.admit(peer, now);
  CHECK_FALSE(first.refused);
  CHECK(first.first_contact);
  CHECK_FALSE(admission.admit(peer, now).first_contact);
  flood(61s);
  CHECK(admission.admit(peer, now).first_contact);
}

TEST_CASE("the peer's last address has a rate of its own") {
  Admission admission({});
  for (unsigned n = 0; n < 1000; ++n) admits(admission, nth_source(n), start);
  CHECK_FALSE(admits(admission, ip("192.0.2.1"), start));
  int count = 0;
  for (int i = 0; i < 100; ++i) count += admits(admission, ip("192.0.2.1"), start, true) ? 1 : 0;
  CHECK(count == 5);
  CHECK_FALSE(admits(admission, ip("192.0.2.1"), start + 49ms, true));
  CHECK(admits(admission, ip("192.0.2.1"), start + 50ms, true));
}

TEST_CASE("an empty bucket is not evicted by a flood from many sources") {
  Admission admission({});
  Time now = start;
  CHECK(admitted(admission, "192.0.2.1", 5, now) == 5);
  // One source every 20 ms. 250 ms would refill the bucket's 5 tokens, so the loop keeps it empty.
  for (unsigned n = 0; n < 2 * Admission::max_networks; ++n) {
    now += 20ms;
    REQUIRE(admits(admission, nth_source(n), now));
    admits(admission, ip("192.0.2.1"), now);
  }
  CHECK(admitted(admission, "192.0.2.1", 5, now) <= 1);
}

TEST_CASE("only allowed sources are answered, also at the peer's last address") {
  Admission admission({*IpPrefix::parse("192.0.2.0/24"), *IpPrefix::parse("2001:db8::/32")});
  CHECK(admits(admission, ip("192.0.2.7"), start));
  CHECK(admits(admission, ip("2001:db8:3::1"), start));
  CHECK(admission.admit(ip("192.0.3.1"), start).refused == Drop::handshake_not_allowed);
  CHECK(admission.admit(ip("2001:db9::1"), start).refused == Drop::handshake_not_allowed);
  CHECK(admission.admit(ip("192.0.3.1"), start, true).refused == Drop::handshake_not_allowed);
}

TEST_CASE("a clock that stops or goes back adds no tokens") {
  Admission admission({});
  CHECK(admitted(admission, "192.0.2.1", 5, start) == 5);
  CHECK_FALSE(admits(admission, ip("192.0.2.1"), start - 1h));
  CHECK_FALSE(admits(admission, ip("192.0.2.1"), start));
}
