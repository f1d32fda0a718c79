#include "routevpn/record/locked_memory.hpp"

#include <openssl/crypto.h>

namespace routevpn::record {

namespace {

// Half of the heap that host::protect_keys() makes. The rest is left to OpenSSL, whose handshakes
// fail without room.
constexpr std::size_t most_used_bytes = 1024UL * 1024;

// nullptr: there is no secure heap, or no room. Its blocks are powers of two, aligned to their size
// up to a page.
void* secure_block(std::size_t bytes) {
  if (CRYPTO_secure_malloc_initialized() != 1 || CRYPTO_secure_used() >= most_used_bytes) {
    return nullptr;
  }
  return OPENSSL_secure_malloc(bytes);
}

bool release_secure_block(void* object, std::size_t bytes) {
  if (CRYPTO_secure_allocated(object) == 0) {
    OPENSSL_cleanse(object, bytes);
    return false;
  }
  OPENSSL_secure_clear_free(object, bytes);
  return true;
}

}  // namespace

void* InLockedMemory::operator new(std::size_t bytes) {
  void* const block = secure_block(bytes);
  return block != nullptr ? block : ::operator new(bytes);
}

void* InLockedMemory::operator new(std::size_t bytes, std::align_val_t alignment) {
  void* const block = secure_block(bytes);
  return block != nullptr ? block : ::operator new(bytes, alignment);
}

void InLockedMemory::operator delete(void* object, std::size_t bytes) {
  if (!release_secure_block(object, bytes)) ::operator delete(object);
}

void InLockedMemory::operator delete(void* object, std::size_t bytes, std::align_val_t alignment) {
  if (!release_secure_block(object, bytes)) ::operator delete(object, alignment);
}

}  // namespace routevpn::record
