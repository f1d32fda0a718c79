// Lets a test set the wall clock that OpenSSL's DTLS timers read. Link virtual_clock.cpp into the
// test program: virtual_clock.cpp defines gettimeofday(), and OpenSSL's libraries bind to that
// definition. OpenSSL checks certificates by time(), which stays real.
#pragma once

#include "routevpn/base/clock.hpp"

namespace routevpn::test::virtual_clock {

// The first call stops the wall clock. Each later call advances it by the difference to the last
// `now`.
void set(Time now);

// Number of calls of gettimeofday(). A growing number shows that OpenSSL calls this definition.
unsigned long times_read();

}  // namespace routevpn::test::virtual_clock
