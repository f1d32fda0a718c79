#include "routevpn/link/expiry.hpp"

#include "catch.hpp"

using routevpn::link::ExpiryWatch;
using routevpn::link::RevocationWatch;
using namespace std::chrono_literals;

TEST_CASE("the watch warns 30, 7 and 1 days before a certificate expires, once each") {
  ExpiryWatch watch;
  const ExpiryWatch::WallTime end(400 * 24h);
  const auto warning = [&](auto left) { return watch.warn(end, end - left); };
  CHECK_FALSE(warning(90 * 24h));
  CHECK_FALSE(warning(30 * 24h + 1s));
  CHECK(warning(30 * 24h) == 30);
  CHECK_FALSE(warning(29 * 24h));
  CHECK(warning(6 * 24h) == 7);
  CHECK_FALSE(warning(5 * 24h));
  CHECK(warning(1h) == 1);
  CHECK_FALSE(warning(0s));
  CHECK_FALSE(warning(-1h));
}

TEST_CASE("a late start gives one warning, and a new certificate gives new warnings") {
  ExpiryWatch watch;
  const ExpiryWatch::WallTime end(400 * 24h);
  CHECK(watch.warn(end, end - 12h) == 1);
  CHECK_FALSE(watch.warn(end, end - 11h));
  const auto renewed = end + 20 * 24h;
  CHECK(watch.warn(renewed, end - 11h) == 30);
  CHECK_FALSE(watch.warn(renewed + 365 * 24h, end - 11h));
}

TEST_CASE("the watch warns of a CRL each day from the last third of its lifetime on") {
  RevocationWatch watch;
  const RevocationWatch::WallTime issued(1000 * 24h);
  const auto end = issued + 30 * 24h;
  int warnings = 0;
  std::optional<int> first_day;
  for (int hour = 0; hour < 35 * 24; ++hour) {
    const auto now = issued + hour * 1h;
    if (!watch.warn(issued, end, now)) continue;
    if (!first_day) first_day = hour / 24;
    ++warnings;
  }
  CHECK(first_day == 20);
  CHECK(warnings >= 15);  // once a day in 15 days, 5 of them after the end
  CHECK(warnings <= 16);
}

TEST_CASE("a new CRL is warned of by its own dates") {
  RevocationWatch watch;
  const RevocationWatch::WallTime issued(1000 * 24h);
  const auto now = issued + 25 * 24h;
  CHECK(watch.warn(issued, issued + 30 * 24h, now));
  CHECK_FALSE(watch.warn(issued, issued + 30 * 24h, now + 1h));
  CHECK_FALSE(watch.warn(now, now + 30 * 24h, now + 2h));
  CHECK(watch.warn(now - 9 * 24h, now + 1h, now + 2h));
  CHECK(watch.warn(issued, issued + 30 * 24h, now - 1h));  // the clock was set back
}

TEST_CASE("a CRL that ends when system_clock does has no overflow") {
  RevocationWatch watch;
  using WallTime = RevocationWatch::WallTime;
  CHECK_FALSE(watch.warn(WallTime::min(), WallTime::max(), WallTime(1000 * 24h)));
  CHECK_FALSE(watch.warn(WallTime(), WallTime::max(), WallTime(1000 * 24h)));
}
