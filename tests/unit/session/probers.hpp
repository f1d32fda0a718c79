// Probers for the tests.
#pragma once

#include "routevpn/session/prober.hpp"

namespace routevpn::session {

constexpr Time probing_start{std::chrono::hours(1)};

inline Prober prober_by_hand(Duration keepalive) {
  return {Detection::by_hand(keepalive, std::chrono::milliseconds(3500)),
          std::chrono::milliseconds(100)};
}

}  // namespace routevpn::session
