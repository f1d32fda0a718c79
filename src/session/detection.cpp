#include "routevpn/session/detection.hpp"

namespace routevpn::session {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds default_keepalive = options::LinkOptions::default_keepalive;
constexpr milliseconds default_dead_after = options::LinkOptions::default_dead_after;

}  // namespace

Detection Detection::by_hand(Duration keepalive, Duration dead_after) {
  return {keepalive, keepalive / 4, 0, dead_after, keepalive};
}

Detection Detection::of(const options::LinkOptions& options) {
  if (options.keepalive || options.dead_after) {
    return by_hand(options.keepalive.value_or(default_keepalive),
                   options.dead_after.value_or(default_dead_after));
  }
  switch (options.detection.value_or(options::Detection::normal)) {
    case options::Detection::fast:
      return {milliseconds(100), milliseconds(15), 15, default_dead_after, default_keepalive};
    case options::Detection::normal:
      return {milliseconds(250), milliseconds(40), 14, default_dead_after, default_keepalive};
    case options::Detection::patient:
      break;
  }
  return {default_keepalive, milliseconds(170), 13, default_dead_after, default_keepalive};
}

}  // namespace routevpn::session
