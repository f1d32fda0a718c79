// The memory of the process: it keeps keys out of files and swap, and drops the pages of code that
// runs rarely.
#pragma once

namespace routevpn::host {

// Keeps keys out of files. No core dump is written, and only root may trace the process or read its
// memory (PR_SET_DUMPABLE, prctl(2)). Private keys of OpenSSL and record::InLockedMemory live in
// memory that is not swapped. Call it before any key exists, with no other thread running. False:
// the memory of keys could not be locked (RLIMIT_MEMLOCK) and may be swapped.
bool protect_keys();

// Locks all memory of the process, now and later, except for code and constants. OpenSSL copies
// parts of a private key to memory outside its locked heap: the buffers of its decoders, and RSA
// primes in their Montgomery form. Child processes are not affected. The process must keep
// CAP_IPC_LOCK, unless RLIMIT_MEMLOCK is unlimited. False: it has neither, and nothing is locked.
bool lock_memory();

// Drops the resident pages of code and constants of the program and its libraries. A page that is
// used again comes back from the page cache by a minor fault. Code of start-up (self-tests of
// ipsec-mb, tables of OpenSSL) and of handshakes runs rarely, so it does not stay resident. Other
// threads may be running.
void release_code_pages();

}  // namespace routevpn::host
