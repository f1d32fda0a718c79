// The resident memory of the process.
#pragma once

namespace routevpn::host {

// Drops the resident pages of code and constants of the program and its libraries. A page that is
// used again comes back from the page cache by a minor fault. Code of start-up (self-tests of
// ipsec-mb, tables of OpenSSL) and of handshakes runs rarely, so it does not stay resident. Other
// threads may be running.
void release_code_pages();

}  // namespace routevpn::host
