// The resident memory of the process.
#pragma once

namespace routevpn::host {

// Drops the resident code pages of the program and its libraries. Code that runs again comes back
// from the page cache by a minor fault. Code of start-up (self-tests of ipsec-mb, tables of
// OpenSSL) and of handshakes runs rarely, so it does not stay resident. Other threads may be
// running.
void release_code_pages();

}  // namespace routevpn::host
