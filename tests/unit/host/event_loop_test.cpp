#include "routevpn/host/event_loop.hpp"

#include <sys/eventfd.h>

#include "catch.hpp"

using namespace routevpn;
using namespace std::chrono_literals;

TEST_CASE("a turn lasts as long as its timeout; a negative timeout ends at once") {
  host::EventLoop loop;
  for (const Duration wait : {0ns, -5000000ns, 1ns, 30000000ns}) {
    const Time begin = read_clock();
    loop.turn(wait);
    CHECK(read_clock() - begin >= wait);
    CHECK(read_clock() - begin < wait + 2s);
  }
}

TEST_CASE("a readable descriptor is called back, with and without a timeout") {
  host::EventLoop loop;
  const Fd event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  int calls = 0;
  loop.watch(event.get(), [&] {
    eventfd_t count = 0;
    eventfd_read(event.get(), &count);
    ++calls;
  });
  loop.turn(1ms);
  CHECK(calls == 0);
  eventfd_write(event.get(), 1);
  loop.turn(std::nullopt);
  CHECK(calls == 1);
  eventfd_write(event.get(), 1);
  loop.turn(1h);
  CHECK(calls == 2);
  loop.turn(1ms);
  CHECK(calls == 2);
  eventfd_write(event.get(), 1);
  loop.unwatch(event.get());
  loop.turn(1ms);
  CHECK(calls == 2);
}

TEST_CASE("a callback that ends the turn is the last of the turn") {
  host::EventLoop loop;
  const Fd events[3] = {Fd(eventfd(1, EFD_CLOEXEC)), Fd(eventfd(1, EFD_CLOEXEC)),
                        Fd(eventfd(1, EFD_CLOEXEC))};
  int calls = 0;
  bool ends = true;
  for (const Fd& event : events) {
    loop.watch(event.get(), [&] {
      ++calls;
      if (ends) loop.end_turn();
    });
  }
  loop.turn(1ms);
  CHECK(calls == 1);
  ends = false;
  loop.turn(1ms);
  CHECK(calls == 4);
}
