// The wall clock OpenSSL reads for its DTLS timers, moved by the test. Link virtual_clock.cpp into
// the test program: it defines gettimeofday(), which OpenSSL's libraries then bind to. time(), by
// which certificates are judged, stays the real one.
#pragma once

#include "routevpn/base/clock.hpp"

namespace routevpn::test::virtual_clock {

// From the first call on the wall clock stands still, and moves by as much as `now` does.
void set(Time now);

// How often gettimeofday() was asked: shows that OpenSSL is bound to it.
unsigned long times_read();

}  // namespace routevpn::test::virtual_clock
