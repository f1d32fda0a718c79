// Lets a test set the wall clock that OpenSSL's DTLS timers and its checks of certificates read.
// Link virtual_clock.cpp into the test program: it defines gettimeofday() and time(), and OpenSSL's
// libraries bind to these definitions.
#pragma once

#include "routevpn/base/clock.hpp"

namespace routevpn::test::virtual_clock {

// The first call stops the wall clock. Each later call advances it by the difference to the last
// `now`.
void set(Time now);

// The wall clock: what OpenSSL reads.
std::chrono::system_clock::time_point wall();

// Number of calls of gettimeofday(). A growing number shows that OpenSSL calls this definition.
unsigned long times_read();

}  // namespace routevpn::test::virtual_clock
