// What the process counts as its own of memory that it shares.
#pragma once

namespace routevpn::host {

// Unmaps the code of the program and its libraries that was run so far. What is needed again comes
// back from the page cache by a minor fault; what only starting needed (ipsec-mb tests all of its
// ciphers, OpenSSL builds its tables) no longer counts as resident. Any thread may be running.
void forget_code_run_so_far();

}  // namespace routevpn::host
