#include "routevpn/link/handed_state.hpp"

#include <algorithm>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "routevpn/base/error.hpp"
#include "routevpn/channel/messages.hpp"

#include "catch.hpp"

using namespace routevpn;
using namespace routevpn::link;

namespace {

constexpr std::size_t content_bytes = 100;

std::vector<std::uint8_t> example() {
  std::vector<std::uint8_t> memory(state_header_bytes + content_bytes + 50);
  for (std::size_t i = 0; i < content_bytes; ++i) {
    memory[state_header_bytes + i] = static_cast<std::uint8_t>(i);
  }
  write_state_header(memory, content_bytes);
  return memory;
}

Fd memory_of_state() {
  Fd memory(memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(ftruncate(memory.get(), static_cast<off_t>(channel::state_bytes)) == 0);
  return memory;
}

constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

}  // namespace

TEST_CASE("the content of a state is what was written") {
  const auto memory = example();
  const auto content = state_content(memory);
  REQUIRE(content);
  CHECK(content->data() == memory.data() + state_header_bytes);
  CHECK(content->size() == content_bytes);
}

TEST_CASE("each changed bit makes a state invalid") {
  auto memory = example();
  for (std::size_t at = 0; at < state_header_bytes + content_bytes; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      memory[at] ^= static_cast<std::uint8_t>(1 << bit);
      CHECK_FALSE(state_content(memory));
      memory[at] ^= static_cast<std::uint8_t>(1 << bit);
    }
  }
  CHECK(state_content(memory));
}

TEST_CASE("a cut state, one of another version and empty memory are invalid") {
  auto memory = example();
  for (std::size_t size = 0; size < state_header_bytes + content_bytes; ++size) {
    CHECK_FALSE(state_content(ConstBytes(memory).first(size)));
  }
  store_be32(&memory[4], channel::version + 1);
  CHECK_FALSE(state_content(memory));
  CHECK_FALSE(state_content(std::vector<std::uint8_t>(1000)));
}

TEST_CASE("a state passes from one mapping through sealed memory to a copy") {
  const Fd memfd = memory_of_state();
  auto mapped = StateMemory::of(memfd);
  const auto wanted = example();
  std::ranges::copy(wanted, mapped.bytes().begin());
  // The monitor cannot seal it while the old worker can change it.
  CHECK(fcntl(memfd.get(), F_ADD_SEALS, seals) != 0);
  mapped.unmap();
  CHECK(mapped.bytes().empty());
  REQUIRE(fcntl(memfd.get(), F_ADD_SEALS, seals) == 0);
  CHECK_THROWS_AS(StateMemory::of(memfd), SystemError);
  const StateCopy copy(memfd);
  CHECK(copy.bytes().size() == state_header_bytes + content_bytes);
  CHECK(state_content(copy.bytes()));
}

TEST_CASE("memory without a state is copied as an invalid state") {
  const Fd memfd = memory_of_state();
  const StateCopy copy(memfd);
  CHECK_FALSE(state_content(copy.bytes()));
  REQUIRE(ftruncate(memfd.get(), 10) == 0);
  CHECK_THROWS_AS(StateCopy(memfd), SystemError);
}

TEST_CASE("a length beyond the memory is copied up to its end and is invalid") {
  const Fd memfd = memory_of_state();
  auto mapped = StateMemory::of(memfd);
  write_state_header(mapped.bytes(), 10);
  store_be32(&mapped.bytes()[8], 0xffffffff);
  mapped.unmap();
  const StateCopy copy(memfd);
  CHECK(copy.bytes().size() == channel::state_bytes);
  CHECK_FALSE(state_content(copy.bytes()));
}
