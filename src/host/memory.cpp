#include "routevpn/host/memory.hpp"

#include <cstdint>

#include <link.h>
#include <linux/capability.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "routevpn/host/capabilities.hpp"

namespace routevpn::host {

namespace {

// OpenSSL locks pages as they are touched, so unused ones cost nothing. 16 lanes, each with four
// associations of three blocks of 4 KiB, use 768 KiB. record::InLockedMemory uses at most 1 MiB.
// The rest is for private keys: that of the certificate, and an ephemeral one for each half-open
// handshake.
constexpr std::size_t secure_heap_bytes = 2048UL * 1024;
constexpr std::size_t secure_heap_least_block = 64;

// Calls `act` for each read-only segment of an object.
template <typename Act>
void for_each_constant_segment(const dl_phdr_info* object, Act act) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& segment = object->dlpi_phdr[i];
    // Not the writable segments: they hold relocations, which exist only in memory.
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives addresses as numbers
    act(reinterpret_cast<void*>(begin), end - begin);
  }
}

int release_segments(dl_phdr_info* object, std::size_t, void*) {
  for_each_constant_segment(
      object, [](void* begin, std::size_t bytes) { madvise(begin, bytes, MADV_DONTNEED); });
  return 0;
}

// Code and constants are no secrets, and the kernel does not release locked pages.
int unlock_segments(dl_phdr_info* object, std::size_t, void*) {
  for_each_constant_segment(object, [](void* begin, std::size_t bytes) { munlock(begin, bytes); });
  return 0;
}

}  // namespace

bool protect_keys() {
  // Both are needed: a core_pattern with a pipe ignores the limit (core(5)). Only the soft limit
  // changes, so that commands of --on-state may raise it again. The unit's filter of system calls
  // may refuse setrlimit(); then PR_SET_DUMPABLE prevents the dump.
  rlimit cores{};
  if (getrlimit(RLIMIT_CORE, &cores) == 0) {
    cores.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &cores);
  }
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  constexpr int locked = 1;  // 2: allocated and not locked
  static const int heap = CRYPTO_secure_malloc_init(secure_heap_bytes, secure_heap_least_block);
  return heap == locked;
}

bool lock_memory() {
  // With a limit, a later allocation could fail.
  rlimit memory{};
  const bool unlimited =
      getrlimit(RLIMIT_MEMLOCK, &memory) == 0 && memory.rlim_cur == RLIM_INFINITY;
  const auto effective = Capabilities::current().effective;
  if (!unlimited && (effective >> CAP_IPC_LOCK & 1) == 0) return false;
  if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) return false;
  dl_iterate_phdr(unlock_segments, nullptr);
  return true;
}

void release_code_pages() {
  dl_iterate_phdr(release_segments, nullptr);
}

}  // namespace routevpn::host
