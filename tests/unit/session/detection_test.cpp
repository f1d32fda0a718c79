#include "routevpn/session/detection.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::session;
using namespace std::chrono_literals;

TEST_CASE("--detection selects the keepalive interval and the burst") {
  options::LinkOptions options;
  CHECK(Detection::of(options).keepalive == 250ms);
  options.detection = options::Detection::fast;
  CHECK(Detection::of(options).keepalive == 100ms);
  options.detection = options::Detection::patient;
  CHECK(Detection::of(options).keepalive == 1000ms);
}

TEST_CASE("a burst and its keepalive take less time than --detection promises") {
  for (const auto& [speed, most] :
       {std::pair(options::Detection::fast, 350ms), std::pair(options::Detection::normal, 900ms),
        std::pair(options::Detection::patient, 3500ms)}) {
    options::LinkOptions options;
    options.detection = speed;
    const auto detection = Detection::of(options);
    CHECK(detection.keepalive + detection.burst * detection.interval + 20ms <= most);
  }
}

TEST_CASE("--keepalive and --dead-after replace --detection, each with a default for the other") {
  options::LinkOptions options;
  options.keepalive = 100ms;
  auto detection = Detection::of(options);
  CHECK(detection.burst == 0);
  CHECK(detection.keepalive == 100ms);
  CHECK(detection.interval == 25ms);
  CHECK(detection.path_check == 100ms);
  CHECK(detection.dead_after == 3500ms);
  options.keepalive.reset();
  options.dead_after = 5000ms;
  detection = Detection::of(options);
  CHECK(detection.burst == 0);
  CHECK(detection.keepalive == 1000ms);
  CHECK(detection.dead_after == 5000ms);
}
