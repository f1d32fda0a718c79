#include "routevpn/link/expiry.hpp"

#include "catch.hpp"

using routevpn::link::ExpiryWatch;
using namespace std::chrono_literals;

TEST_CASE("a certificate's end is told 30, 7 and 1 days ahead, once each") {
  ExpiryWatch watch;
  const ExpiryWatch::WallTime end(400 * 24h);
  const auto told = [&](auto left) { return watch.warn(end, end - left); };
  CHECK_FALSE(told(90 * 24h));
  CHECK_FALSE(told(30 * 24h + 1s));
  CHECK(told(30 * 24h) == 30);
  CHECK_FALSE(told(29 * 24h));
  CHECK(told(6 * 24h) == 7);
  CHECK_FALSE(told(5 * 24h));
  CHECK(told(1h) == 1);
  CHECK_FALSE(told(0s));
  CHECK_FALSE(told(-1h));
}

TEST_CASE("whoever starts late hears the last word only, and of a new certificate anew") {
  ExpiryWatch watch;
  const ExpiryWatch::WallTime end(400 * 24h);
  CHECK(watch.warn(end, end - 12h) == 1);
  CHECK_FALSE(watch.warn(end, end - 11h));
  const auto renewed = end + 20 * 24h;
  CHECK(watch.warn(renewed, end - 11h) == 30);
  CHECK_FALSE(watch.warn(renewed + 365 * 24h, end - 11h));
}
