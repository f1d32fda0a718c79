// Memory for objects with traffic keys.
#pragma once

#include <cstddef>
#include <new>

namespace routevpn::record {

// A base class. `new` allocates the object in OpenSSL's secure heap, which is locked and not
// dumped, if host::protect_keys() has made that heap and it has room; else in ordinary memory,
// because a link without room must not fail. `delete` wipes the object. Any thread may delete it.
class InLockedMemory {
 public:
  static void* operator new(std::size_t bytes);
  static void* operator new(std::size_t bytes, std::align_val_t alignment);
  static void operator delete(void* object, std::size_t bytes);
  static void operator delete(void* object, std::size_t bytes, std::align_val_t alignment);
};

}  // namespace routevpn::record
