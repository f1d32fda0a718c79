#include "routevpn/datapath/spsc_ring.hpp"

#include <cstdint>
#include <thread>

#include "catch.hpp"

using routevpn::datapath::SpscRing;

TEST_CASE("a ring holds its capacity, in order") {
  SpscRing<int, 4> ring;
  CHECK(ring.empty());
  CHECK(ring.front() == nullptr);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) {
      int* const slot = ring.reserve();
      REQUIRE(slot != nullptr);
      *slot = round * 10 + i;
      ring.publish();
    }
    CHECK(ring.reserve() == nullptr);
    for (int i = 0; i < 4; ++i) {
      REQUIRE(ring.front() != nullptr);
      CHECK(*ring.front() == round * 10 + i);
      ring.release();
    }
    CHECK(ring.empty());
  }
}

TEST_CASE("a slot is visible only after publish()") {
  SpscRing<int, 2> ring;
  *ring.reserve() = 1;
  CHECK(ring.empty());
  ring.publish();
  CHECK_FALSE(ring.empty());
}

TEST_CASE("two threads see every value once and in order") {
  constexpr std::uint64_t count = 200'000;
  SpscRing<std::uint64_t, 64> ring;
  std::thread writer([&] {
    for (std::uint64_t i = 0; i < count;) {
      if (std::uint64_t* const slot = ring.reserve()) {
        *slot = i++;
        ring.publish();
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t expected = 0; expected < count;) {
    if (const std::uint64_t* const slot = ring.front()) {
      if (*slot != expected) ++wrong;
      ++expected;
      ring.release();
    } else {
      std::this_thread::yield();
    }
  }
  writer.join();
  CHECK(wrong == 0);
  CHECK(ring.empty());
}
