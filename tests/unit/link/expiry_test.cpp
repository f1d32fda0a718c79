#include "routevpn/link/expiry.hpp"

#include "catch.hpp"

using routevpn::link::ExpiryWatch;
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
