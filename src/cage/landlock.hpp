// Landlock (Linux 5.13): a second layer beside the empty root directory.
#pragma once

namespace routevpn::cage {

// Removes every right that the running kernel's Landlock can remove: files, TCP, abstract UNIX
// sockets of other processes and signals to them. Open files are not affected. Needs no_new_privs.
// Does nothing if the kernel has no Landlock. Throws SystemError.
void drop_landlock_rights();

}  // namespace routevpn::cage
