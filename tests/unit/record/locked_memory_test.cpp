#include "routevpn/record/locked_memory.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <openssl/crypto.h>

#include "catch.hpp"

using namespace routevpn::record;

namespace {

struct Key : InLockedMemory {
  std::array<std::uint8_t, 1000> bytes{};
};
struct AlignedKey : InLockedMemory {
  alignas(64) std::array<std::uint8_t, 1000> bytes{};
};

template <typename T>
bool is_aligned(const std::unique_ptr<T>& object) {
  return reinterpret_cast<std::uintptr_t>(object.get()) % alignof(T) == 0;
}

// The heap of the program, made by the first call.
void make_secure_heap() {
  if (CRYPTO_secure_malloc_initialized() == 0) CRYPTO_secure_malloc_init(2048UL * 1024, 64);
}

}  // namespace

TEST_CASE("objects with keys are in the secure heap") {
  make_secure_heap();
  const auto before = CRYPTO_secure_used();
  auto key = std::make_unique<Key>();
  auto aligned = std::make_unique<AlignedKey>();
  CHECK(CRYPTO_secure_allocated(key.get()) == 1);
  CHECK(CRYPTO_secure_allocated(aligned.get()) == 1);
  CHECK(is_aligned(aligned));
  key.reset();
  aligned.reset();
  CHECK(CRYPTO_secure_used() == before);
}

TEST_CASE("objects beyond a half of the secure heap are in ordinary memory, aligned") {
  make_secure_heap();
  const auto before = CRYPTO_secure_used();
  {
    std::vector<std::unique_ptr<AlignedKey>> keys;
    do {
      keys.push_back(std::make_unique<AlignedKey>());
    } while (CRYPTO_secure_allocated(keys.back().get()) == 1 && keys.size() < 10'000);
    CHECK(keys.size() < 10'000);
    CHECK(is_aligned(keys.back()));
    CHECK(CRYPTO_secure_used() == 1024UL * 1024);
    CHECK(CRYPTO_secure_allocated(std::make_unique<Key>().get()) == 0);
  }
  CHECK(CRYPTO_secure_used() == before);
}
