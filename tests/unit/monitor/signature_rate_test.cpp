#include "routevpn/monitor/signature_rate.hpp"

#include <algorithm>
#include <string>

#include "catch.hpp"

using namespace routevpn;
using dtls::Admission;

namespace {

constexpr int networks = 600;  // more than the burst of first contacts

// A host of each IPv4 /16 or of each IPv6 /48.
IpAddress stranger(int network, bool is_v4) {
  const std::string high = std::to_string(network / 256);
  const std::string low = std::to_string(network % 256);
  return *IpAddress::parse(is_v4 ? std::to_string(20 + network / 256) + "." + low + ".0.1"
                                 : "2001:db" + high + ":" + low + "::1");
}

// What one acceptor begins of a flood at `now` from all networks, and of its peer's handshakes.
int begun(Admission& admission, Time now, bool is_v4) {
  int all = 0;
  for (int round = 0; round < 3; ++round) {
    for (int network = 0; network < networks; ++network) {
      if (!admission.admit(stranger(network, is_v4), now).refused) ++all;
    }
  }
  for (int i = 0; i < 10; ++i) {
    if (!admission.admit(*IpAddress::parse("192.0.2.1"), now, true).refused) ++all;
  }
  return all;
}

}  // namespace

TEST_CASE("the monitor signs each handshake that the acceptors of all lanes begin in a flood") {
  const bool is_v4 = GENERATE(true, false);
  const auto lanes = GENERATE(1U, 3U, 16U);
  const Rate rate = monitor::signature_rate(lanes);
  std::vector<Admission> admissions(lanes, Admission({}));
  RateLimit limit;
  int all = 0;
  int refused = 0;
  const Time start(std::chrono::hours(1));
  for (int second = 0; second < 5; ++second) {
    const Time now = start + std::chrono::seconds(second);
    for (auto& admission : admissions) {
      const int count = begun(admission, now, is_v4);
      all += count;
      for (int i = 0; i < count; ++i) refused += limit.admit(now, rate) ? 0 : 1;
    }
  }
  CHECK(all > static_cast<int>(lanes) * 580);
  CHECK(refused == 0);
}

TEST_CASE("a worker has no more signatures than 585 at once and 120 each second for a lane") {
  const Rate rate = monitor::signature_rate(1);
  RateLimit limit;
  Time now(std::chrono::hours(1));
  int made = 0;
  while (limit.admit(now, rate)) ++made;
  CHECK(made == 585);
  for (made = 0, now += std::chrono::seconds(1); limit.admit(now, rate);) ++made;
  CHECK(made == 120);
}
