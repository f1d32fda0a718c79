// The wall clock of OpenSSL's DTLS timers, set by the test. Link virtual_clock.cpp into the test
// program: it defines gettimeofday(), to which OpenSSL's libraries then bind. time(), by which
// OpenSSL checks certificates, stays real.
#pragma once

#include "routevpn/base/clock.hpp"

namespace routevpn::test::virtual_clock {

// From the first call on the wall clock stops, and advances only by the steps of `now`.
void set(Time now);

// Number of calls of gettimeofday(): shows that OpenSSL is bound to it.
unsigned long times_read();

}  // namespace routevpn::test::virtual_clock
