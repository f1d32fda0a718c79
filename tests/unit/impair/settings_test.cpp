#include "impair/settings.hpp"

#include "routevpn/base/error.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::test;
using namespace std::chrono_literals;

TEST_CASE("each setting sets only its impairment") {
  Impairments wanted;
  Impairments got;
  const auto check = [&](const char* name, const char* value) {
    CAPTURE(name);
    CHECK_FALSE(got == wanted);
    apply_setting(got, name, value, true);
    CHECK(got == wanted);
  };
  wanted.drop = 0.5;
  check("drop", "50%");
  wanted.duplicate = 0.25;
  check("duplicate", "0.25");
  wanted.reorder = 0.25;
  check("reorder", "0.25");
  wanted.late = 3ms;
  check("late", "3ms");
  wanted.corrupt = 1;
  check("corrupt", "1");
  wanted.truncate = 1;
  check("truncate", "100%");
  wanted.delay = 20ms;
  check("delay", "20ms");
  wanted.jitter = 500us;
  check("jitter", "500us");
  wanted.rate = 1e6;
  check("rate", "1M");
  wanted.queue = 20ms;
  check("queue", "20ms");
  wanted.max_bytes = 1372;
  check("mtu", "1400");
}

TEST_CASE("the MTU includes the headers of its IP version, and 0 removes it") {
  Impairments impairments;
  apply_setting(impairments, "mtu", "1280", false);
  CHECK(impairments.max_bytes == 1280 - 48);
  apply_setting(impairments, "mtu", "0", false);
  CHECK(impairments.max_bytes == 0);
  for (const auto* bad : {"48", "65536", "-1", "x"}) {
    CHECK_THROWS_AS(apply_setting(impairments, "mtu", bad, false), UsageError);
  }
  CHECK_THROWS_AS(apply_setting(impairments, "loss", "1", true), UsageError);
  CHECK_THROWS_AS(apply_setting(impairments, "drop", "2", true), UsageError);
}
