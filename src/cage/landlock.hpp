// Landlock (Linux 5.13) as a second wall behind the empty root directory.
#pragma once

namespace routevpn::cage {

// Takes every right that the running kernel knows: files, TCP, abstract UNIX sockets of other
// processes and signals to them. Open files are not affected. Needs no_new_privs. Does nothing if
// the kernel has no Landlock. Throws SystemError.
void take_landlock_rights();

}  // namespace routevpn::cage
